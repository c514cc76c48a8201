/**
 * The least whole number from `low` to before `high` that passes a test; `high` where none does. Found by halving: once a
 * number passes, every greater one must pass too. Both ends lie within 31 bits.
 */
export function leastWhere(low: number, high: number, passes: (value: number) => boolean): number {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = (from + to) >> 1
    if (passes(middle)) to = middle
    else from = middle + 1
  }
  return from
}
