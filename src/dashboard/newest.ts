// The last of a list that can only be read upwards by number, as checkpoints by their size.

/** The items above a number, in order, and from where to read on; null at the end. */
type Read<T> = (after: number) => Promise<{ items: readonly T[]; next: number | null }>

const WIDER = 8

/**
 * The items of the largest numbers up to `upTo`, largest first: `wanted` of them, or all where there are no more. Ever longer
 * stretches below `upTo` are read, so that neither many items nor few cost many questions.
 */
export async function newest<T>(
  read: Read<T>,
  numberOf: (item: T) => number,
  upTo: number,
  wanted: number,
): Promise<T[]> {
  for (let reach = 4 * wanted; ; reach *= WIDER) {
    const after = Math.max(0, upTo - reach)
    const found: T[] = []
    for (let from: number | null = after; from !== null && from < upTo; ) {
      const { items, next } = await read(from)
      found.push(...items.filter((item) => numberOf(item) <= upTo))
      from = next
    }
    if (found.length >= wanted || after === 0) return found.slice(-wanted).reverse()
  }
}
