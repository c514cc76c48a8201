// So many at once.

/** A function that runs what it is given, at most so many at once; the others wait, and are begun in order. */
export function atMost(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running === count) await new Promise<void>((begin) => waiting.push(begin))
    else running += 1
    try {
      return await work()
    } finally {
      // Its place goes to the next, without a moment in which another could take it.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
