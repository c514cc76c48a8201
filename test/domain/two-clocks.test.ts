// The two clocks, cell by cell: what the register says of a day (across), by what it knew when (down). After the examples
// of R. Snodgrass, Developing Time-Oriented Database Applications in SQL (1999), and M. Fowler, Temporal Patterns (2005).

import t from 'tap'
import type { CommitmentAnswer } from '../../src/domain/commitment/answer.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import {
  amended,
  answerAt,
  correct,
  type Draft,
  given,
  made,
  rebaselined,
  recorded,
  retract,
} from '../support/events.ts'
import { OPENED } from '../support/register.ts'
import { noon, type TestService, testService } from '../support/service.ts'

/** Records one event of the commitment `c`, at noon of the day on which it is to be recorded; its repairs find it by id. */
async function record(service: TestService, { recordedAt = '', ...event }: Draft, id: string): Promise<void> {
  service.clock.now = noon(recordedAt)
  // The day of a repair plays no part in any answer, but it must not lie ahead.
  const occurredOn = event.type.startsWith('Event') ? recordedAt : event.occurredOn
  const { status, text } = await service.post('/v1/registers/demo/events', { stream: 'c', id, ...event, occurredOn })
  if (status !== 201) throw new Error(text)
}

/** A service whose register `demo` was opened on a day and then learned these events, each on its own day. */
async function serviceWith(t: Parameters<typeof testService>[0], log: readonly Draft[], today: string) {
  const service = await testService(t, log[0]?.recordedAt)
  await service.post('/v1/registers', { id: 'demo', ...OPENED })
  for (const [position, draft] of log.entries()) await record(service, draft, given(...log)[position]?.id as string)
  service.clock.now = noon(today)
  return service
}

type Ask = (asOf: string, knownAt: string) => Promise<CommitmentAnswer | null>

/** Asks the service; null where the commitment is not known. */
function overRest(service: TestService): Ask {
  return async (asOf, knownAt) => {
    const { status, body } = await service.get(`/v1/registers/demo/commitments/c?asOf=${asOf}&knownAt=${knownAt}`)
    if (status !== 200 && status !== 404) throw new Error(JSON.stringify(body))
    return status === 200 ? body : null
  }
}

/** Folds what had been recorded by the end of a day. */
function byFold(log: readonly StoredEvent[]): Ask {
  return async (asOf, knownAt) =>
    answerAt(log, asOf, log.filter((event) => event.recordedAt <= Date.parse(`${knownAt}T23:59:59.999Z`)).length)
}

type Table<Cell> = { asOf: readonly string[]; rows: readonly (readonly [knownAt: string, ...cells: Cell[]])[] }

/** The same table with the cells that are answered. */
async function answered<Cell>(table: Table<Cell>, ask: Ask, cellOf: (answer: CommitmentAnswer | null) => Cell) {
  const rows: [string, ...Cell[]][] = []
  for (const [knownAt] of table.rows) {
    const cells: Cell[] = []
    for (const asOf of table.asOf) cells.push(cellOf(await ask(asOf, knownAt)))
    rows.push([knownAt, ...cells])
  }
  return { asOf: table.asOf, rows }
}

t.test('a target that was corrected, and corrected again: six cells of knowledge and day', async (t) => {
  const target = (value: number) => ({ target: { value, unit: 'km', better: 'more' } })
  const promise = { title: 'A road', themes: [], parties: [] }
  const log: Draft[] = [
    // In January: a hundred kilometres, from New Year on.
    recorded('2026-01-20', made('2026-01-01', target(100))),
    // In February: it had been ninety from the beginning, and was raised on the first of the month.
    recorded('2026-02-20', correct(0, { data: { ...promise, ...target(90) } })),
    recorded('2026-02-20', amended('2026-02-01', target(120))),
    // In March: that was raised by more, and earlier.
    recorded('2026-03-20', correct(2, { occurredOn: '2026-01-10', data: { ...target(130), reason: 'raised' } })),
  ]
  const table: Table<number | null> = {
    asOf: ['2026-01-15', '2026-02-15'],
    rows: [
      ['2026-01-31', 100, 100],
      ['2026-02-28', 90, 120],
      ['2026-03-31', 130, 130],
    ],
  }
  const targetOf = (answer: CommitmentAnswer | null) => answer?.target?.value ?? null
  t.strictSame(await answered(table, byFold(given(...log)), targetOf), table, 'by the fold')
  const service = await serviceWith(t, log, '2026-04-01')
  t.strictSame(await answered(table, overRest(service), targetOf), table, 'over REST')
})

t.test('a due date that was corrected, and corrected again: what it was late by, in six cells', async (t) => {
  const promise = { title: 'A bridge', themes: [], parties: [] }
  const log: Draft[] = [
    recorded('2026-01-20', made('2026-01-01', { due: '2026-01-31' })),
    // It never was the end of January, it was the tenth.
    recorded('2026-02-20', correct(0, { data: { ...promise, due: '2026-01-10' } })),
    // Nor was it the tenth: the source says "in 2026".
    recorded('2026-03-20', correct(0, { data: { ...promise, due: '2026' } })),
  ]
  type Cell = string | null
  const table: Table<Cell> = {
    asOf: ['2026-01-15', '2026-02-15'],
    rows: [
      ['2026-01-19', null, null],
      ['2026-01-31', '2026-01-31 onSchedule 0', '2026-01-31 late 15'],
      ['2026-02-28', '2026-01-10 late 5', '2026-01-10 late 36'],
      ['2026-03-31', '2026 onSchedule 0', '2026 onSchedule 0'],
    ],
  }
  const cellOf = (answer: CommitmentAnswer | null): Cell =>
    answer && `${answer.dates.originalDue?.value} ${answer.schedule.original} ${answer.slippageDays.original}`
  t.strictSame(await answered(table, byFold(given(...log)), cellOf), table, 'by the fold')
  const service = await serviceWith(t, log, '2026-04-01')
  t.strictSame(await answered(table, overRest(service), cellOf), table, 'over REST')
})

t.test('two rebaselines, the first of them retracted: every cell of knowledge and day', async (t) => {
  const log: Draft[] = [
    recorded('2025-01-10', made('2025-01-01', { due: '2025-06-30' })),
    recorded('2025-06-10', rebaselined('2025-06-01', '2025-12-31')),
    recorded('2025-12-10', rebaselined('2025-12-01', '2026-06-30')),
    // The first of the two was recorded in error: the second has been the only one.
    recorded('2026-02-10', retract(1)),
  ]
  /** Each against the original and against the current baseline: due on, schedule, slippage in days. */
  type Cell = { original: string; current: string } | null
  const cell = (original: string, current = original): Cell => ({ original, current })
  const table: Table<Cell> = {
    // Before any rebaseline, after the first, after the second, and after the last due day has passed.
    asOf: ['2025-05-01', '2025-07-15', '2026-01-15', '2026-07-15'],
    rows: [
      ['2025-01-09', null, null, null, null],
      [
        '2025-01-31',
        cell('2025-06-30 onSchedule 0'),
        cell('2025-06-30 late 15'),
        cell('2025-06-30 late 199'),
        cell('2025-06-30 late 380'),
      ],
      [
        '2025-06-30',
        cell('2025-06-30 onSchedule 0'),
        cell('2025-06-30 late 184', '2025-12-31 onSchedule 0'),
        cell('2025-06-30 late 199', '2025-12-31 late 15'),
        cell('2025-06-30 late 380', '2025-12-31 late 196'),
      ],
      [
        '2025-12-31',
        cell('2025-06-30 onSchedule 0'),
        cell('2025-06-30 late 184', '2025-12-31 onSchedule 0'),
        cell('2025-06-30 late 365', '2026-06-30 onSchedule 0'),
        cell('2025-06-30 late 380', '2026-06-30 late 15'),
      ],
      [
        '2026-02-28',
        cell('2025-06-30 onSchedule 0'),
        cell('2025-06-30 late 15'),
        cell('2025-06-30 late 365', '2026-06-30 onSchedule 0'),
        cell('2025-06-30 late 380', '2026-06-30 late 15'),
      ],
    ],
  }
  const cellOf = (answer: CommitmentAnswer | null): Cell => {
    if (!answer) return null
    const { dates, schedule, slippageDays } = answer
    return cell(
      `${dates.originalDue?.value} ${schedule.original} ${slippageDays.original}`,
      `${dates.currentDue?.value} ${schedule.current} ${slippageDays.current}`,
    )
  }
  t.strictSame(await answered(table, byFold(given(...log)), cellOf), table, 'by the fold')
  const service = await serviceWith(t, log, '2026-08-01')
  t.strictSame(await answered(table, overRest(service), cellOf), table, 'over REST')
})
