// A request's body whose opening is read before it is known where the request goes.

/** Reads an opening, and hands on all of it but what is cut out. Nothing is read that was not asked for. */
export class Body {
  #request;
  #reader;
  /** What has been read. */
  #opening = [];
  #ended = false;

  constructor(request) {
    this.#request = request;
  }

  /** The next bytes, or nothing at the end. */
  async more() {
    this.#reader ??= this.#request.body?.getReader();
    const { done, value } = (await this.#reader?.read()) ?? { done: true };
    if (done) this.#ended = true;
    else this.#opening.push(value);
    return value;
  }

  /**
   * All of it but the `cuts`: pairs of the place of a first byte and of the one after the last. The rest streams. What `headers` say of its
   * length is mended.
   */
  onward(cuts, headers) {
    if (!this.#request.body) return null;
    const kept = without(this.#opening, cuts);
    const gone = cuts.reduce((sum, [from, to]) => sum + to - from, 0);
    const announced = headers.get("content-length");
    const length = announced === null ? undefined : Number(announced) - gone;
    if (length !== undefined) headers.set("content-length", `${length}`);
    if (this.#ended) return new Blob(kept);
    const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
    // Whoever reads sees why it ended early; nobody else has to know.
    this.#pump(kept, writable).catch(() => {});
    return readable;
  }

  async #pump(kept, writable) {
    const writer = writable.getWriter();
    try {
      for (const bytes of kept) await writer.write(bytes);
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

/** The chunks without the places in `cuts`, which are in order and apart from each other. */
function without(chunks, cuts) {
  const kept = [];
  let begin = 0;
  for (const chunk of chunks) {
    const end = begin + chunk.length;
    let from = begin;
    for (const [start, stop] of cuts) {
      if (stop <= from || start >= end) continue;
      if (start > from) kept.push(chunk.subarray(from - begin, start - begin));
      from = Math.min(stop, end);
    }
    if (from < end) kept.push(chunk.subarray(from - begin));
    begin = end;
  }
  return kept;
}
