import fc from 'fast-check'
import t from 'tap'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../../../src/domain/axes.ts'
import { type StatusDates, statusAt } from '../../../src/domain/commitment/status.ts'
import { CODES, decodeStatus, encodeStatus, showsSameStatus } from '../../../src/domain/commitment/status-code.ts'
import { type Countable, DUE_MARKS, type DueMark } from '../../../src/domain/figures.ts'
import { VERSIONS } from '../../../src/projections/core/versions.ts'

// Codes are stored. Who changes what they are made of raises the version of `periods`, and says here what belongs to it.
t.test('the codes of statuses are those of the version of `periods` that stores them', async (t) => {
  t.strictSame(
    { version: VERSIONS.periods, CODES, LIFECYCLES, VERIFICATIONS, SCHEDULES, marks: DUE_MARKS },
    {
      version: 2,
      CODES: 5_488,
      LIFECYCLES: ['open', 'suspended', 'delivered', 'partiallyDelivered', 'notDelivered', 'withdrawn', 'superseded'],
      VERIFICATIONS: ['none', 'claimed', 'verified', 'disputed'],
      SCHEDULES: ['closed', 'noDueDate', 'deliveredOnTime', 'deliveredLate', 'late', 'forecastLate', 'onSchedule'],
      marks: { isDue: { against: 'original', afterDays: 0 } },
    },
  )
})

t.test('every code from 0 on is that of one status, and fits into the 16 bits in which it is stored', async (t) => {
  const codes = Array.from({ length: CODES }, (_, code) => code)
  t.strictSame(
    codes.filter((code) => encodeStatus(decodeStatus(code)) !== code),
    [],
  )
  t.equal(new Set(codes.map((code) => JSON.stringify(decodeStatus(code)))).size, CODES)
  t.ok(CODES <= 2 ** 15)
})

t.test('two codes show the same status where they differ only in what they know of the due date', async () => {
  const code = fc.nat({ max: CODES - 1 })
  const shown = ({ lifecycle, verification, schedule }: Countable) =>
    JSON.stringify([lifecycle, verification, schedule])
  fc.assert(
    fc.property(code, fc.integer({ min: -9, max: 9 }), (a, apart) => {
      const b = Math.min(CODES - 1, Math.max(0, a + apart))
      return showsSameStatus(a, b) === (shown(decodeStatus(a)) === shown(decodeStatus(b)))
    }),
    { numRuns: 2_000 },
  )
})

t.test('a mark is set from so many days after its due date on', async (t) => {
  const dates = { lifecycle: 'open', verification: 'none', madeOn: 0, originalDueOn: 100, currentDueOn: 200 } as const
  const at = (asOf: number, more: Partial<StatusDates> = {}) =>
    statusAt({ ...dates, forecastOn: null, finishedOn: null, ...more }, asOf)
  for (const mark of Object.keys(DUE_MARKS) as DueMark[]) {
    const { against, afterDays } = DUE_MARKS[mark]
    const from = (against === 'original' ? 100 : 200) + afterDays
    t.strictSame(
      [at(from - 1)[mark], at(from)[mark], at(from, { originalDueOn: null, currentDueOn: null })[mark]],
      [false, true, false],
    )
  }
})
