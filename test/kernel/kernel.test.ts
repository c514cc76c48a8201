import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { decimalOf, isExactly, less, percentage } from '../../src/kernel/decimal.ts'
import {
  answerDate,
  canBeSameDay,
  contains,
  dateRangeOf,
  dayInZone,
  dayOf,
  endOfDayInZone,
  formatDay,
  isTimeZone,
  isWhollyBefore,
  LAST_DAY,
  lastDayOf,
  parseDateRange,
  parseDay,
} from '../../src/kernel/plain-date.ts'
import { roundedFraction, roundedRatio } from '../../src/kernel/ratio.ts'
import { leastWhere } from '../../src/kernel/search.ts'

t.test('a date of every accepted form has the first and last day that it may mean', async (t) => {
  const bounds: [text: string, earliest: string | null, latest: string | null][] = [
    ['2025', '2025-01-01', '2025-12-31'],
    ['2025-12', '2025-12-01', '2025-12-31'],
    ['2025-12-18', '2025-12-18', '2025-12-18'],
    ['2025-12-18/2026-01-02', '2025-12-18', '2026-01-02'],
    ['2025/2026-02', '2025-01-01', '2026-02-28'],
    ['2025/2025-06', '2025-01-01', '2025-06-30'],
    ['2025-12-18/2025-12-18', '2025-12-18', '2025-12-18'],
    ['2025-12-18/2025-12', '2025-12-18', '2025-12-31'],
    ['2025-12/2025', '2025-12-01', '2025-12-31'],
    ['2026-01/..', '2026-01-01', null],
    ['../2025-09-15', null, '2025-09-15'],
    ['../2025', null, '2025-12-31'],
    ['0001', '0001-01-01', '0001-12-31'],
    ['9999-12-31', '9999-12-31', '9999-12-31'],
  ]
  for (const [value, earliest, latest] of bounds) t.strictSame(answerDate(value), { value, earliest, latest })
})

t.test('February has 29 days in leap years of the Gregorian calendar', async (t) => {
  const lastOfFebruary = (year: string) => answerDate(`${year}-02`).latest
  t.strictSame(['2024', '2025', '1900', '2000', '0004', '0100'].map(lastOfFebruary), [
    '2024-02-29',
    '2025-02-28',
    '1900-02-28',
    '2000-02-29',
    '0004-02-29',
    '0100-02-28',
  ])
})

t.test('what is not an existing date of an accepted form is refused', async (t) => {
  const refused = [
    ...['', ' ', '..', '/', '../..', '../', '/..', '2025/', '/2025', '2025/..//', '2025/2026/2027', 'today'],
    ...['2026-02-30', '2025-02-29', '1900-02-29', '2025-04-31', '2025-00', '2025-13', '2025-01-00', '2025-01-32'],
    ...['0000', '0000-01-01', '../0000', '-2025', '+2025', '25', '12025', '2025-1', '2025-1-1', '20250101', '2025-001'],
    ...['2025-12-18/2025-12-17', '2026/2025', '2025-02/2025-01-31', '2025-12-18T00:00', '2025?', '2025~', '202X'],
    ...[' 2025', '2025 ', '2025\n', '2025-12-18/ ..', '٢٠٢٥'],
  ]
  t.strictSame(
    refused.filter((text) => parseDateRange(text) !== null),
    [],
  )
  t.throws(() => dateRangeOf('2026-02-30'), new RangeError('not a date: 2026-02-30'))
})

t.test('a single day is only ever written in full', async (t) => {
  t.equal(parseDay('1970-01-01'), 0)
  t.equal(parseDay('1969-12-31'), -1)
  t.equal(parseDay('0001-01-01'), -719_162)
  t.equal(parseDay('9999-12-31'), LAST_DAY)
  t.strictSame(['2025', '2025-12', '2025-02-29', '../2025-12-01', '2025-12-01/..'].map(parseDay), Array(5).fill(null))
  t.throws(() => dayOf('2025-12'), new RangeError('not a day: 2025-12'))
  t.throws(() => lastDayOf('2025/..'), new RangeError('has no last day: 2025/..'))
})

t.test('every day of the years 1 to 9999 is written and read as the same day', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: dayOf('0001-01-01'), max: dayOf('9999-12-31') }),
      (day) => dayOf(formatDay(day)) === day,
    ),
  )
})

t.test('ranges are compared by their bounds; an open bound is never before or after', async (t) => {
  const range = dateRangeOf
  t.equal(isWhollyBefore(range('2025-11'), range('2025-12-01')), true)
  t.equal(isWhollyBefore(range('2025-12'), range('2025-12-31')), false)
  t.equal(isWhollyBefore(range('2025/..'), range('2026')), false)
  t.equal(isWhollyBefore(range('2024'), range('../2026')), false)
  t.equal(isWhollyBefore(range('../2024'), range('2025/..')), true)
  t.equal(canBeSameDay(range('2025-12'), range('2025-12-31/..')), true)
  t.equal(canBeSameDay(range('2025-12-31'), range('2026-01-01')), false)
  t.equal(canBeSameDay(range('2026-01-01'), range('2025-12-31')), false)
  t.equal(contains(range('2025-12'), dayOf('2025-12-31')), true)
  t.equal(contains(range('2025-12'), dayOf('2026-01-01')), false)
  t.equal(contains(range('2025-12/..'), dayOf('2025-11-30')), false)
  t.equal(contains(range('../2025-12'), dayOf('0001-01-01')), true)
})

t.test('an instant falls on the day that clocks show in the time zone', async (t) => {
  const dayAt = (instant: string, zone: string) => formatDay(dayInZone(Date.parse(instant), zone))
  t.equal(dayAt('2025-12-31T23:59:59.999Z', 'UTC'), '2025-12-31')
  t.equal(dayAt('1969-12-31T23:59:59.999Z', 'UTC'), '1969-12-31')
  t.equal(dayAt('2025-12-31T20:59:59.999Z', 'Europe/Minsk'), '2025-12-31')
  t.equal(dayAt('2025-12-31T21:00:00.000Z', 'Europe/Minsk'), '2026-01-01')
  t.equal(dayAt('2025-12-31T09:59:59.999Z', 'Pacific/Kiritimati'), '2025-12-31')
  t.equal(dayAt('2025-12-31T10:00:00.000Z', 'Pacific/Kiritimati'), '2026-01-01')
  t.equal(dayAt('2026-01-01T11:00:00.000Z', 'Pacific/Pago_Pago'), '2026-01-01')
  t.equal(dayAt('2026-01-01T10:59:59.999Z', 'Pacific/Pago_Pago'), '2025-12-31')
})

t.test('a day ends one millisecond before the next begins, also where clocks are changed', async (t) => {
  const end = (day: string, zone: string) => new Date(endOfDayInZone(dayOf(day), zone)).toISOString()
  t.equal(end('2025-12-31', 'UTC'), '2025-12-31T23:59:59.999Z')
  t.equal(end('2025-12-31', 'Europe/Minsk'), '2025-12-31T20:59:59.999Z')
  // Berlin: 23 hours on 30 March, 25 hours on 26 October.
  t.equal(end('2025-03-29', 'Europe/Berlin'), '2025-03-29T22:59:59.999Z')
  t.equal(end('2025-03-30', 'Europe/Berlin'), '2025-03-30T21:59:59.999Z')
  t.equal(end('2025-10-25', 'Europe/Berlin'), '2025-10-25T21:59:59.999Z')
  t.equal(end('2025-10-26', 'Europe/Berlin'), '2025-10-26T22:59:59.999Z')
  // Santiago: clocks jump over midnight, so that 7 September 2025 begins at one o'clock.
  t.equal(end('2025-09-06', 'America/Santiago'), '2025-09-07T03:59:59.999Z')
  t.equal(end('9999-12-31', 'UTC'), '9999-12-31T23:59:59.999Z')
})

t.test('the end of a day lies on that day and the next millisecond does not', async () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Minsk',
    'Europe/Berlin',
    'America/St_Johns',
    'America/Santiago',
    'Asia/Kathmandu',
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30_000 }), zone, (day, timeZone) => {
      const end = endOfDayInZone(day, timeZone)
      return dayInZone(end, timeZone) === day && dayInZone(end + 1, timeZone) === day + 1
    }),
  )
})

t.test('a time zone is one that the runtime knows', async (t) => {
  t.strictSame(['UTC', 'Europe/Minsk'].map(isTimeZone), [true, true])
  t.strictSame(['', 'Mars/Olympus', 'Europe'].map(isTimeZone), [false, false, false])
})

type Vector = { name: string; input: string; outputHex: string }
// Safe: the file of vectors, as it stands beside this test.
const vectors = JSON.parse(readFileSync(new URL('../vectors/jcs.json', import.meta.url), 'utf8')) as Vector[]
for (const { name, input, outputHex } of vectors) {
  t.test(`RFC 8785, vector ${name}: the text is the one expected, byte for byte`, async (t) => {
    t.equal(Buffer.from(canonicalJson(JSON.parse(input))).toString('hex'), outputHex)
  })
}

/** A second implementation, by the letter of RFC 8785. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(',')}}`
}

t.test('RFC 8785: any JSON value has the text that a second implementation gives it', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => canonicalJson(value) === canonicalText(value)),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value) => canonicalJson(value) === canonicalText(value),
    ),
  )
})

t.test('RFC 8785: members are sorted by UTF-16 code units, so a surrogate pair comes before U+FB33', async (t) => {
  t.equal(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2, '\u20ac': 3 }), '{"\u20ac":3,"\u{1f600}":2,"\ufb33":1}')
})

t.test('what JSON cannot hold is never canonicalized', async (t) => {
  t.throws(() => canonicalJson(Number.NaN), new Error('NaN is not allowed'))
  t.throws(() => canonicalJson({ a: [Number.POSITIVE_INFINITY] }), new Error('Infinity is not allowed'))
  t.throws(() => canonicalJson('\ud800'), new Error('Lone surrogate is not allowed'))
  t.throws(() => canonicalJson({ '\udc00': 1 }), new Error('Lone surrogate is not allowed'))
  t.throws(() => canonicalJson(undefined), new TypeError('not a JSON value: undefined'))
  t.equal(canonicalJson({ b: -0, a: undefined, c: 1e21 }), '{"b":0,"c":1e+21}')
  t.equal(canonicalJson({ a: [undefined] }), JSON.stringify({ a: [undefined] }), 'as it is stored')
})

t.test('a ratio that doubles hold is what whole numbers of any size make of it', async (t) => {
  const whole = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3_000, max: 3_000 }))
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: 0, max: 3 }), (numerator, denominator, decimals) => {
      const exact = roundedFraction(BigInt(numerator), BigInt(denominator), decimals)
      t.ok(Object.is(roundedRatio(numerator, denominator, decimals), exact), `${numerator} / ${denominator}`)
    }),
    { numRuns: 2_000 },
  )
})

t.test('ratios are rounded half away from zero, and a half is a half', async (t) => {
  t.equal(roundedRatio(12_500, 310, 1), 40.3)
  t.equal(roundedRatio(1_400, 310, 1), 4.5)
  t.equal(roundedRatio(125, 139, 3), 0.899)
  // A double holds 1.005 as a little less, and 0.15 likewise: rounding the quotient would go down.
  t.equal(roundedRatio(1_005, 1_000, 2), 1.01)
  t.strictSame(
    [1, 3, 5, 7, 9].map((twentieths) => roundedRatio(twentieths, 20, 1)),
    [0.1, 0.2, 0.3, 0.4, 0.5],
  )
  t.strictSame(
    [-1, -3, -5].map((twentieths) => roundedRatio(twentieths, 20, 1)),
    [-0.1, -0.2, -0.3],
  )
  t.strictSame([roundedRatio(1, -2, 0), roundedRatio(-1, -2, 0), roundedRatio(1, 3, 1)], [-1, 1, 0.3])
  t.equal(Object.is(roundedRatio(-1, 100, 1), 0), true, 'never minus zero')
  t.strictSame([roundedRatio(0, 0, 1), roundedRatio(5, 0, 1)], [null, null])
  t.equal(roundedFraction(2n ** 70n, 2n ** 69n, 3), 2)
})

t.test('a number is held exactly where it is written back as the same decimal, however it was written', async (t) => {
  const exact = [
    '0',
    '-0',
    '0e5',
    '1',
    '-1',
    '1.50',
    '1e2',
    '1E+2',
    '100',
    '0.1',
    '1e-7',
    '9007199254740991',
    '12e20',
    '5e-324',
  ]
  const inexact = ['9007199254740993', '0.10000000000000001', '1e400', '1e-400', '123456789.123456789123']
  for (const text of exact) t.ok(isExactly(Number(text), text), text)
  for (const text of inexact) t.notOk(isExactly(Number(text), text), text)
  t.notOk(isExactly(1, '-1'), 'the sign is part of it')
})

t.test('a double is taken for the decimal that writes it', async (t) => {
  t.strictSame(decimalOf(4.5), { digits: 45n, decimals: 1 })
  t.strictSame(decimalOf(-0.05), { digits: -5n, decimals: 2 })
  t.strictSame(decimalOf(4_500), { digits: 4_500n, decimals: 0 })
  t.strictSame(decimalOf(1e21), { digits: 10n ** 21n, decimals: 0 })
  t.strictSame(decimalOf(1e-7), { digits: 1n, decimals: 7 })
  t.strictSame(decimalOf(0), { digits: 0n, decimals: 0 })
  t.equal(less(40.3, 40), 0.3)
  t.equal(less(0.1, 0.3), -0.2)
  t.strictSame(percentage(12.5, 50), { numerator: 12_500n, denominator: 500n })
  t.strictSame(percentage(1, -2), { numerator: -100n, denominator: 2n })
})

t.test('the least number that passes a test is found by halving, also where none passes', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: -50, max: 50 }),
      fc.nat({ max: 60 }),
      fc.integer({ min: -60, max: 120 }),
      (low, span, from) => {
        const high = low + span
        return leastWhere(low, high, (value) => value >= from) === Math.min(high, Math.max(low, from))
      },
    ),
  )
  t.equal(
    leastWhere(3, 3, () => true),
    3,
  )
})
