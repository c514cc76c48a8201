// The last items of a list that is read upwards: which they are, and with how many questions.

import t from 'tap'
import { newest } from '../../src/dashboard/newest.ts'

/** A list of numbers as the service pages it, which counts how often it is asked. */
function pagedBy(limit: number, numbers: readonly number[]) {
  const asked: number[] = []
  const read = async (after: number) => {
    asked.push(after)
    const above = numbers.filter((number) => number > after)
    const items = above.slice(0, limit)
    return { items, next: above.length > limit ? (items.at(-1) ?? null) : null }
  }
  const last = (upTo: number, wanted: number) => newest(read, (number) => number, upTo, wanted)
  return { last, asked }
}

t.test('the largest numbers up to a number come first, whatever lies above it', async (t) => {
  const { last } = pagedBy(1_000, [3, 8, 9, 20, 21, 40])
  t.strictSame(await last(21, 3), [21, 20, 9])
  t.strictSame(await last(19, 1), [9])
})

t.test('all come where there are fewer than wanted, and none where there is none', async (t) => {
  t.strictSame(await pagedBy(1_000, [3, 8]).last(100, 5), [8, 3])
  t.strictSame(await pagedBy(1_000, []).last(100, 5), [])
  t.strictSame(await pagedBy(1_000, [3, 8]).last(0, 5), [])
})

t.test('a stretch of several pages is read to its end', async (t) => {
  const all = Array.from({ length: 40 }, (_, index) => index + 1)
  t.strictSame(await pagedBy(7, all).last(40, 9), [40, 39, 38, 37, 36, 35, 34, 33, 32])
})

t.test('few items far below are found with few questions', async (t) => {
  const { last, asked } = pagedBy(1_000, [5])
  t.strictSame(await last(1_000_000, 1), [5])
  t.equal(asked.length, 7)
})
