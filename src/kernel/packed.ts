// Whole numbers in few bytes (LEB128, as in WebAssembly and Protocol Buffers). A byte has seven bits, the least first,
// and the eighth says that more follow. Differences fold their sign into the last bit (zigzag), so that small ones
// stay short.

/** Collects whole numbers, each below 2^31 in size. */
export class Packer {
  #bytes = Buffer.allocUnsafe(64)
  #length = 0

  /** How many bytes there are so far. */
  get length(): number {
    return this.#length
  }

  /** A number from 0 on. */
  natural(value: number): void {
    // No number takes more than five bytes.
    if (this.#length + 5 > this.#bytes.length) this.#grow()
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** A number of either sign. */
  integer(value: number): void {
    this.natural(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** A copy of what was collected. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  /** Begins anew, in the memory that there is. */
  clear(): void {
    this.#length = 0
  }

  #grow(): void {
    const grown = Buffer.allocUnsafe(this.#bytes.length * 4)
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

/** Reads what a Packer has written, in the same order. */
export class Unpacker {
  /** Where the next number begins. */
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  natural(): number {
    let byte = this.#bytes[this.at++] as number
    if (byte < 128) return byte
    let value = byte & 127
    for (let shift = 7; ; shift += 7) {
      if (this.at >= this.#bytes.length) throw new RangeError('the bytes end within a number')
      byte = this.#bytes[this.at++] as number
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
  }

  integer(): number {
    const value = this.natural()
    return (value >>> 1) ^ -(value & 1)
  }
}
