// A list that is given upwards, read from its end: everything once, the newest first, in few requests.

import t from 'tap'
import { begin, type Question, readNewer, readOlder } from '../../src/dashboard/views/log/stretches.ts'

const LIMIT = 200

/** A list of these numbers, as the service pages it, and what was asked of it. */
function listOf(numbers: readonly number[], { head, from = null }: { head: number; from?: number | null }) {
  const asked: [after: number, until: number][] = []
  const question: Question<number> = {
    key: '',
    first: 0,
    head,
    from,
    numberOf: (number) => number,
    page: 100,
    width: 400,
    read: async (after, until) => {
      asked.push([after, until])
      const found = numbers.filter((number) => number > after && number <= until)
      return { items: found.slice(0, LIMIT), isWhole: found.length <= LIMIT }
    },
  }
  return { question, asked }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)
const goesOn = () => true

t.test('a whole log comes once, newest first, page by page', async (t) => {
  const { question } = listOf(upTo(1_000), { head: 999 })
  const reading = begin(question)
  await readOlder(reading, question, goesOn)
  t.equal(reading.items[0], 999)
  t.ok(reading.items.length >= 100 && reading.items.length <= 200, 'a page, not everything')
  while (reading.down >= 0) await readOlder(reading, question, goesOn)
  t.strictSame(reading.items, upTo(1_000).toReversed())
})

t.test('what is rare in a million numbers is found in few requests', async (t) => {
  const { question, asked } = listOf([3, 500_000], { head: 999_999 })
  const reading = begin(question)
  await readOlder(reading, question, goesOn)
  t.strictSame(reading.items, [500_000, 3])
  t.equal(reading.down, -1)
  t.ok(asked.length < 10, `${asked.length} requests`)
})

t.test('a dense stretch below a sparse one loses nothing', async (t) => {
  const numbers = upTo(5_000)
  const { question } = listOf(numbers, { head: 80_000 })
  const reading = begin(question)
  while (reading.down >= 0) await readOlder(reading, question, goesOn)
  t.strictSame(reading.items, numbers.toReversed())
})

t.test('from a number on it begins there, and goes upwards a page at a time', async (t) => {
  const { question } = listOf(upTo(1_000), { head: 999, from: 500 })
  const reading = begin(question)
  await readOlder(reading, question, goesOn)
  t.equal(reading.items[0], 500)
  await readNewer(reading, question)
  t.equal(reading.items[0], 700)
  t.equal(reading.up, 700)
  await readNewer(reading, question)
  await readNewer(reading, question)
  t.equal(reading.up, 999)
  t.equal(reading.arrived, 0, 'nothing of it is new')
  t.strictSame(
    reading.items,
    upTo(1_000)
      .slice(reading.down + 1)
      .toReversed(),
  )
})

t.test('what comes while it is followed is put in front, and counted', async (t) => {
  const { question } = listOf(upTo(1_050), { head: 999 })
  const reading = begin(question)
  await readOlder(reading, question, goesOn)
  await readNewer(reading, { ...question, head: 1_049 })
  t.equal(reading.items[0], 1_049)
  t.equal(reading.arrived, 50)
})

t.test('reading stops where nobody wants it any more', async (t) => {
  const { question, asked } = listOf([], { head: 999_999 })
  const reading = begin(question)
  await readOlder(reading, question, () => asked.length < 2)
  t.equal(asked.length, 2)
  t.ok(reading.down > 0)
})
