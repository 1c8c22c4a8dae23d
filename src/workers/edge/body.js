// Buffers the beginning of a body while the gateway scans it, then streams the body to the origin
// without the cut ranges.

/** The body of one request. It reads no bytes ahead of a request for them. */
export class Body {
  #request;
  #reader;
  /** Buffer of the beginning, with free space at its end. */
  #beginning = new Uint8Array(0);
  #length = 0;
  #ended = false;

  constructor(request) {
    this.#request = request;
  }

  /** Resolves to the next bytes, or to `undefined` at the end. */
  async more() {
    this.#reader ??= this.#request.body?.getReader();
    const { done, value } = (await this.#reader?.read()) ?? { done: true };
    if (done) this.#ended = true;
    else this.#keep(value);
    return value;
  }

  #keep(bytes) {
    const length = this.#length + bytes.length;
    if (length > this.#beginning.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#beginning.length));
      larger.set(this.#beginning);
      this.#beginning = larger;
    }
    this.#beginning.set(bytes, this.#length);
    this.#length = length;
  }

  /**
   * Returns the body without `cuts`, and corrects `content-length` in `headers`. The cuts are
   * sorted, disjoint `[start, end)` ranges of the buffered beginning.
   */
  stream(cuts, headers) {
    if (!this.#request.body) return null;
    const kept = without(this.#beginning.subarray(0, this.#length), cuts);
    const gone = cuts.reduce((sum, [from, to]) => sum + to - from, 0);
    const announced = headers.get("content-length");
    const length = announced === null ? undefined : Number(announced) - gone;
    if (length !== undefined) headers.set("content-length", `${length}`);
    if (this.#ended) return new Blob([kept]);
    const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
    // The reader of `readable` sees the error; no other code needs it.
    this.#pump(kept, writable).catch(() => {});
    return readable;
  }

  async #pump(kept, writable) {
    const writer = writable.getWriter();
    try {
      if (kept.length) await writer.write(kept);
    } catch (error) {
      // The origin reads no more.
      await this.#reader.cancel(error);
      throw error;
    }
    writer.releaseLock();
    this.#reader.releaseLock();
    await this.#request.body.pipeTo(writable);
  }
}

/** Returns the bytes without `cuts`. It moves each kept byte once, within the same buffer. */
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
