/** FNV-1a over UTF-16 units, and a second hash of other constants: together 64 bits. */
function hashes(text: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b ^ unit) + 0x7f4a7c15, 0x85ebca6b);
    b ^= b >>> 15;
  }
  return [(a ^ (a >>> 16)) >>> 0, b >>> 0];
}

/**
 * Remembers a number for each of millions of texts, by a 64-bit hash in typed arrays: a Map of as many strings costs ten
 * times the memory and most of the time of reading a sheet. Two texts of three million share a hash with probability 3e-7.
 * Numbers are whole, 1 to 2^53.
 */
export class TextIndex {
  #size = 0;
  #capacity = 1 << 10;
  #first = new Uint32Array(this.#capacity);
  #second = new Uint32Array(this.#capacity);
  /** 0 marks a free slot. */
  #values = new Float64Array(this.#capacity);

  /** The number of a text; where it has none yet it is given `value` and undefined is returned. */
  findOrAdd(text: string, value: number): number | undefined {
    const [a, b] = hashes(text);
    const slot = this.#slot(a, b);
    const found = this.#values[slot] as number;
    if (found !== 0) return found;
    this.#put(slot, a, b, value);
    this.#size += 1;
    if (this.#size * 2 > this.#capacity) this.#grow();
    return undefined;
  }

  find(text: string): number | undefined {
    const [a, b] = hashes(text);
    const found = this.#values[this.#slot(a, b)] as number;
    return found === 0 ? undefined : found;
  }

  /** Slot of a hash, or the free one where it belongs. */
  #slot(a: number, b: number): number {
    const mask = this.#capacity - 1;
    let slot = a & mask;
    while (this.#values[slot] !== 0 && (this.#first[slot] !== a || this.#second[slot] !== b)) slot = (slot + 1) & mask;
    return slot;
  }

  #put(slot: number, a: number, b: number, value: number): void {
    this.#first[slot] = a;
    this.#second[slot] = b;
    this.#values[slot] = value;
  }

  #grow(): void {
    const [first, second, values] = [this.#first, this.#second, this.#values];
    this.#capacity *= 2;
    this.#first = new Uint32Array(this.#capacity);
    this.#second = new Uint32Array(this.#capacity);
    this.#values = new Float64Array(this.#capacity);
    for (let old = 0; old < values.length; old += 1) {
      const value = values[old] as number;
      if (value === 0) continue;
      const a = first[old] as number;
      const b = second[old] as number;
      this.#put(this.#slot(a, b), a, b, value);
    }
  }
}
