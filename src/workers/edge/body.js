// A request's body whose opening is read before it is known where the request goes.

/** Reads an opening, and hands on all of it but what is cut out. Nothing is read that was not asked for. */
export class Body {
  #request;
  #reader;
  /** What has been read, in one piece however small the pieces were that it came in, with room at the end. */
  #opening = new Uint8Array(0);
  #length = 0;
  #ended = false;

  constructor(request) {
    this.#request = request;
  }

  /** The next bytes, or nothing at the end. */
  async more() {
    this.#reader ??= this.#request.body?.getReader();
    const { done, value } = (await this.#reader?.read()) ?? { done: true };
    if (done) this.#ended = true;
    else this.#keep(value);
    return value;
  }

  #keep(bytes) {
    const length = this.#length + bytes.length;
    if (length > this.#opening.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#opening.length));
      larger.set(this.#opening);
      this.#opening = larger;
    }
    this.#opening.set(bytes, this.#length);
    this.#length = length;
  }

  /**
   * All of it but the `cuts`, which lie in what has been read, in order and apart from each other: pairs of the place of a first byte and of
   * the one after the last. The rest streams. What `headers` say of its length is mended.
   */
  onward(cuts, headers) {
    if (!this.#request.body) return null;
    const kept = without(this.#opening.subarray(0, this.#length), cuts);
    const gone = cuts.reduce((sum, [from, to]) => sum + to - from, 0);
    const announced = headers.get("content-length");
    const length = announced === null ? undefined : Number(announced) - gone;
    if (length !== undefined) headers.set("content-length", `${length}`);
    if (this.#ended) return new Blob([kept]);
    const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
    // Whoever reads sees why it ended early; nobody else has to know.
    this.#pump(kept, writable).catch(() => {});
    return readable;
  }

  async #pump(kept, writable) {
    const writer = writable.getWriter();
    try {
      if (kept.length) await writer.write(kept);
    } catch (error) {
      // The origin wants no more.
      await this.#reader.cancel(error);
      throw error;
    }
    writer.releaseLock();
    this.#reader.releaseLock();
    await this.#request.body.pipeTo(writable);
  }
}

/** The bytes without the places in `cuts`. What is kept moves together, each byte once. */
function without(bytes, cuts) {
  let from = 0;
  let length = 0;
  for (const [start, stop] of [...cuts, [bytes.length, bytes.length]]) {
    bytes.copyWithin(length, from, start);
    length += start - from;
    from = stop;
  }
  return bytes.subarray(0, length);
}
