// What the page works out itself of what it is answered: lists read from their end, orders, days, bins.

import t from 'tap'
import type { MarkedEvent, SourceAnswer } from '../../src/dashboard/answers.ts'
import { newest } from '../../src/dashboard/newest.ts'
import { boundsOf, effectiveDay, readingOf } from '../../src/dashboard/views/commitment/days.ts'
import { begin, type Question, readNewer, readOlder } from '../../src/dashboard/views/log/stretches.ts'
import { binsOf } from '../../src/dashboard/views/overview/bins.ts'
import { DEFAULT_SORT, holds, sorted, termsOf } from '../../src/dashboard/views/sources/order.ts'
import { answerDate } from '../../src/kernel/plain-date.ts'

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

function source(id: string, given: Partial<SourceAnswer>): SourceAnswer {
  const nothing = { publisher: null, author: null, url: null, publishedOn: null, retrievedAt: null, contentHash: null }
  return { id, title: null, archivedUrl: null, event: 1, citations: [], conflicts: [], ...nothing, ...given }
}

function on(value: string): Pick<SourceAnswer, 'publishedOn'> {
  return { publishedOn: { value, earliest: null, latest: null } }
}

const ids = (items: readonly SourceAnswer[]) => items.map(({ id }) => id)

t.test('the newest source comes first, and one of no known date last in either direction', async (t) => {
  const items = [
    source('S1', on('2021-11-04')),
    source('S2', {}),
    source('S3', on('2026-02')),
    source('S4', on('2025-12-18')),
  ]
  t.strictSame(ids(sorted(items, DEFAULT_SORT, 'en')), ['S3', 'S4', 'S1', 'S2'])
  t.strictSame(ids(sorted(items, 'publishedOn', 'en')), ['S1', 'S4', 'S3', 'S2'])
})

t.test('equal publishers are told apart by id, numbers in it counted as numbers', async (t) => {
  const items = ['S10', 'S9', 'S1'].map((id) => source(id, { publisher: 'TASS' }))
  t.strictSame(ids(sorted(items, 'publisher', 'en')), ['S1', 'S9', 'S10'])
})

t.test('a sort that nobody knows is the default upwards', async (t) => {
  const items = [source('S1', on('2022')), source('S2', on('2021'))]
  t.strictSame(ids(sorted(items, 'constructor', 'en')), ['S2', 'S1'])
})

t.test('every word has to stand somewhere, in any case and any field', async (t) => {
  const one = source('S3', { title: 'Address to the Council', publisher: 'reform.news', contentHash: 'sha256:9F86' })
  t.ok(holds(one, termsOf('  COUNCIL reform ')))
  t.ok(holds(one, termsOf('9f86')))
  t.ok(holds(one, termsOf('')))
  t.notOk(holds(one, termsOf('council tass')))
})

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

t.test('dates are read as the service reads them', async (t) => {
  for (const value of [
    '2025',
    '2024-02',
    '2025-12',
    '2025-12-17',
    '2025-07/2025-12',
    '../2025-09-15',
    '2026-01/..',
    '1999/2001-02',
  ]) {
    const { earliest, latest } = answerDate(value)
    t.strictSame(boundsOf(value), { earliest, latest }, value)
  }
})

function marked(given: Partial<MarkedEvent>): MarkedEvent {
  const place = { position: 1, id: 'a', stream: 'c', revision: 1, type: 'DeliveryReported', typeVersion: 1 }
  const stamp = { recordedAt: '2026-03-01T12:00:00.000Z', recordedBy: 'local', salt: '', bodyHash: '' }
  const body = { occurredOn: '2025-12-17', data: {}, citations: [], repairs: [], inForce: true }
  return { ...place, ...stamp, ...body, ...given }
}

t.test('a fact counts from the last day of its date, and never after the day on which that was recorded', async (t) => {
  const dayOf = (given: Partial<MarkedEvent>, ...corrections: MarkedEvent[]) =>
    effectiveDay(readingOf(marked(given), corrections), 'Europe/Minsk')
  t.equal(dayOf({ occurredOn: '2025-12' }), '2025-12-31')
  t.equal(dayOf({ occurredOn: '2026-01/..' }), '2026-01-01')
  t.equal(dayOf({ occurredOn: '2026' }), '2026-03-01')
  t.equal(dayOf({ occurredOn: '2026', recordedAt: '2026-03-01T22:30:00.000Z' }), '2026-03-02', 'a day of the register')
  t.equal(dayOf({ occurredOn: null, data: null, citations: null }), null)
  const correction = marked({
    type: 'EventCorrected',
    data: { event: 'a', occurredOn: '2026' },
    recordedAt: '2026-05-05T12:00:00.000Z',
  })
  t.equal(dayOf({}, correction), '2026-05-05', 'the day of the correction that set it')
  t.equal(dayOf({}, { ...correction, inForce: false }), '2025-12-17')
  const reading = readingOf(marked({}), [correction])
  t.strictSame([reading.occurredOn, reading.changed, reading.event.occurredOn], ['2026', ['occurredOn'], '2025-12-17'])
})

t.test('bins hold each slippage once, and none both what is on time and what is late', async (t) => {
  const original = [-400, -1, 0, 1, 30, 31, 900].map((days) => ({ days, count: 2 }))
  const current = [{ days: 0, count: 5 }]
  const bins = binsOf(original, current)
  const sum = (of: 'original' | 'current') => bins.reduce((total, bin) => total + bin[of], 0)
  t.strictSame([sum('original'), sum('current')], [14, 5])
  t.ok(bins.length <= 30 && bins.some(({ to }) => to === 0))
  for (const { from, to } of bins) t.ok(to <= 0 || from >= 0, `${from} to ${to}`)
  t.equal(bins.find(({ to }) => to === 0)?.current, 5, 'on the due day is on time')
  t.strictSame(binsOf([], []), [])
  t.equal(binsOf([{ days: 5, count: 1 }], []).at(-1)?.to, 5)
})
