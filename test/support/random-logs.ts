// Random logs against the service: what its routes answer at random clocks must be what the oracle works out from the raw
// log. The tests ask a hundred logs, the bench a thousand.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Database } from '../../src/database/pool.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { FIGURE_NAMES, type FigureName } from '../../src/domain/figures.ts'
import { isRepair } from '../../src/domain/repairs.ts'
import { type Day, formatDay } from '../../src/kernel/plain-date.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import type { Registers } from '../../src/registers/registers.ts'
import { countedBy, createOracle, type Dimension, type Member, type Oracle, type Step } from './oracle.ts'
import { anyRawLog, insertRaw, PARTIES, PROGRAMMES, THEMES } from './raw-log.ts'

// biome-ignore lint/suspicious/noExplicitAny: an answer is compared, not typed.
type Answer = { status: number; body: any; text: string }
/** What the check needs of a service; nothing else may project its registers meanwhile. */
export type Asked = { db: Database; registers: Registers; get: (url: string) => Promise<Answer> }

/** Everything that is left to chance besides the log, as numbers that pick from what there is. */
type Question = {
  day: number
  dayKind: 'any' | 'fact' | 'due'
  known: number
  known2: number
  isNewest: boolean
  pick: number
  limit: number
  filters: [keyof typeof FILTERS, number][]
  sort: string[]
  programmes: string[]
  groupBy: Dimension[]
  step: Step
  span: number
}

const FIRST_DAY = 17_897 // 2019-01-01
const FILTERS = {
  lifecycle: ['open', 'suspended', 'delivered', 'partiallyDelivered', 'notDelivered', 'withdrawn', 'superseded'],
  schedule: ['closed', 'noDueDate', 'deliveredOnTime', 'deliveredLate', 'late', 'forecastLate', 'onSchedule'],
  scheduleOriginal: ['closed', 'noDueDate', 'deliveredOnTime', 'deliveredLate', 'late', 'forecastLate', 'onSchedule'],
  verification: ['none', 'claimed', 'verified', 'disputed'],
  programme: [...PROGRAMMES, ''],
  theme: [...THEMES, ''],
  party: [...PARTIES, ''],
  figure: [...FIGURE_NAMES],
  denominator: ['true', 'false'],
  q: ['on', 'two', 'c1', 'ZÖLL', 'tariffs t', 'nothing'],
}

/** The sort keys, with the number or text that each goes by. Words of a status go by their place in docs/contract.md#status. */
const SORTS: Record<string, (member: Member) => string | number | null> = {
  id: ({ answer }) => answer.id,
  title: ({ answer }) => answer.title.toLowerCase(),
  programme: ({ answer }) => answer.programme,
  lifecycle: ({ answer }) => FILTERS.lifecycle.indexOf(answer.lifecycle),
  verification: ({ answer }) => FILTERS.verification.indexOf(answer.verification),
  'schedule.original': ({ answer }) => FILTERS.schedule.indexOf(answer.schedule.original),
  'schedule.current': ({ answer }) => FILTERS.schedule.indexOf(answer.schedule.current),
  madeOn: ({ madeOn }) => madeOn,
  originalDue: ({ answer }) => answer.dates.originalDue?.latest ?? null,
  currentDue: ({ answer }) => answer.dates.currentDue?.latest ?? null,
  forecastFinish: ({ answer }) => answer.dates.forecastFinish?.latest ?? null,
  actualFinish: ({ finishedOn }) => finishedOn,
  slippageDays: ({ answer }) => answer.slippageDays.current,
  'slippageDays.original': ({ answer }) => answer.slippageDays.original,
  'slippageDays.current': ({ answer }) => answer.slippageDays.current,
  baselineShiftDays: ({ answer }) => answer.baselineShiftDays,
  stalenessDays: ({ answer }) => answer.stalenessDays,
  rebaselines: ({ answer }) => answer.rebaselines,
  forecastPushes: ({ answer }) => answer.forecastPushes,
  revision: ({ answer }) => answer.revision,
}

const aFilter = fc
  .constantFrom(...(Object.keys(FILTERS) as (keyof typeof FILTERS)[]))
  .chain((name) => fc.tuple(fc.constant(name), fc.nat({ max: 9 })))
const aSort = fc
  .tuple(fc.constantFrom(...Object.keys(SORTS)), fc.constantFrom('', '-'))
  .map(([key, sign]) => `${sign}${key}`)

const question: fc.Arbitrary<Question> = fc.record({
  day: fc.nat({ max: 3_300 }),
  dayKind: fc.constantFrom<Question['dayKind']>('any', 'fact', 'due', 'due'),
  known: fc.nat({ max: 1_000 }),
  known2: fc.nat({ max: 1_000 }),
  isNewest: fc.constantFrom(true, false, false),
  pick: fc.nat({ max: 10_000 }),
  limit: fc.integer({ min: 1, max: 9 }),
  filters: fc.array(aFilter, { maxLength: 3 }),
  sort: fc.array(aSort, { maxLength: 2 }),
  programmes: fc.array(fc.constantFrom(...FILTERS.programme), { maxLength: 2 }),
  groupBy: fc.uniqueArray(fc.constantFrom<Dimension>('programme', 'theme', 'party')),
  step: fc.constantFrom<Step>('day', 'week', 'month', 'quarter', 'year'),
  span: fc.integer({ min: 1, max: 12 }),
})

/** A question of one log, with what it picks resolved. */
type Clocked = { asked: Asked; oracle: Oracle; register: string; asOf: Day; size: number; size2: number; one: Question }

/** Any day, or one that a fact or a due date names, or the day before or after it. */
function dayOfQuestion({ day, dayKind, pick }: Question, oracle: Oracle, size: number): Day {
  const any = FIRST_DAY + day
  if (dayKind === 'any') return any
  const id = oracle.ids[pick % Math.max(1, oracle.ids.length)] ?? ''
  const named = (dayKind === 'due' ? oracle.dueDays(size) : oracle.factDays(id, size)).toSorted((a, b) => a - b)
  return (named[day % Math.max(1, named.length)] ?? any) + ([0, 0, 1, -1][pick % 4] as number)
}

function clocked(asked: Asked, oracle: Oracle, register: string, one: Question): Clocked {
  const total = oracle.log.length
  const sizeOf = (known: number) => Math.round((known * total) / 1_000)
  const size = one.isNewest ? total : sizeOf(one.known)
  return { asked, oracle, register, asOf: dayOfQuestion(one, oracle, size), size, size2: sizeOf(one.known2), one }
}

/** As JSON gives it: what is undefined is left out, and there is no negative zero. */
function asJson<T>(value: T): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The first place where two values differ; null where they are equal. */
function differing(given: unknown, wanted: unknown, path = ''): string | null {
  if (isDeepStrictEqual(given, wanted)) return null
  const isParent = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  if (isParent(given) && isParent(wanted)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(given)])) {
      const found = differing(given[key], wanted[key], `${path}/${key}`)
      if (found) return found
    }
  }
  return `${path || '/'}: ${JSON.stringify(given)?.slice(0, 400)} instead of ${JSON.stringify(wanted)?.slice(0, 400)}`
}

/** An answer or a list that is not what the oracle says. */
class DifferenceError extends Error {}

function expectSame(url: string, given: unknown, wanted: unknown): void {
  const found = differing(given, asJson(wanted))
  if (found) throw new DifferenceError(`GET ${url}\n  ${found}`)
}

/** The summary, a group or an item of a series without its links, which have a test of their own. */
export function withoutLinks(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value) => (key === 'list' ? undefined : value))
}

async function read({ get }: Asked, url: string): Promise<Answer['body']> {
  const { status, body, text } = await get(url)
  if (status !== 200) throw new DifferenceError(`GET ${url}\n  answers ${status}: ${text.slice(0, 400)}`)
  return body
}

/** All items of a list, page after page; every page says the same of its clocks. */
async function readAll(asked: Asked, url: string, limit: number): Promise<Answer['body']> {
  const [path] = url.split('?')
  const first = await read(asked, url)
  const items = [...first.items]
  for (let { next } = first; next !== null; ) {
    const page = await read(asked, `${path}?${new URLSearchParams({ cursor: next, limit: String(limit) })}`)
    const { items: more, next: after, ...frame } = page
    const { items: _, next: __, ...wanted } = first
    expectSame(`${url}, a further page`, frame, wanted)
    if (more.length > limit) throw new DifferenceError(`GET ${url}\n  ${more.length} items on a page of ${limit}`)
    items.push(...more)
    next = after
  }
  return { ...first, items, next: null }
}

function address({ register }: Clocked, path: string, parameters: [string, string][]): string {
  return `/v1/registers/${register}/${path}?${new URLSearchParams(parameters)}`
}

function clocksOf({ asOf, size }: Clocked): [string, string][] {
  return [
    ['asOf', formatDay(asOf)],
    ['knownAt', String(size)],
  ]
}

// One function for each route.

/** The parameters of filters; a figure is asked for once, and only with it a denominator. */
function filterParameters({ filters }: Question): [string, string][] {
  const given = filters.map(([name, pick]): [string, string] => [
    name,
    FILTERS[name][pick % FILTERS[name].length] as string,
  ])
  const [figure] = given.filter(([name]) => name === 'figure')
  const [q] = given.filter(([name]) => name === 'q')
  const [denominator] = given.filter(([name]) => name === 'denominator')
  const single = [figure, q, figure && denominator].filter((one) => one !== undefined)
  return [...given.filter(([name]) => !['figure', 'q', 'denominator'].includes(name)), ...single]
}

/** Whether each word of a text begins a word of id, title, description or themes. */
function finds(text: string, { answer }: Member): boolean {
  const words = (of: string) => of.toLowerCase().split(/[^\p{L}\p{N}]+/u)
  const there = [answer.id, answer.title, answer.description ?? '', ...answer.themes].flatMap(words)
  return words(text).every((word) => there.some((one) => one.startsWith(word)))
}

function wantedBy(parameters: readonly [string, string][]) {
  const wanted = (name: string) => parameters.filter(([key]) => key === name).map(([, value]) => value)
  const passes = (name: string, values: readonly string[]) => {
    const any = wanted(name)
    return any.length === 0 || (values.length === 0 ? any.includes('') : values.some((value) => any.includes(value)))
  }
  return { wanted, passes }
}

/** Whether a commitment belongs to what the filters ask for. */
function belongs({ programme, themes, parties }: Member['answer'], parameters: readonly [string, string][]): boolean {
  const { passes } = wantedBy(parameters)
  return (
    passes('programme', programme === null ? [] : [programme]) && passes('theme', themes) && passes('party', parties)
  )
}

function filtered(members: readonly Member[], parameters: readonly [string, string][]): Member[] {
  const { wanted, passes } = wantedBy(parameters)
  const [figure] = wanted('figure')
  const part = wanted('denominator')[0] === 'true' ? 'denominator' : 'numerator'
  // Safe: it is one of the names above.
  const counted = figure === undefined ? members : countedBy(figure as FigureName, part, members)
  return counted.filter((member) => {
    const { lifecycle, schedule, verification } = member.answer
    return (
      passes('lifecycle', [lifecycle]) &&
      passes('schedule', [schedule.current]) &&
      passes('scheduleOriginal', [schedule.original]) &&
      passes('verification', [verification]) &&
      belongs(member.answer, parameters) &&
      wanted('q').every((text) => finds(text, member))
    )
  })
}

/** In order of these keys: nulls last whichever way, ties by id. */
function ordered(members: readonly Member[], keys: readonly string[]): Member[] {
  return members.toSorted((a, b) => {
    for (const key of [...keys, 'id']) {
      const value = SORTS[key.replace('-', '')] as (member: Member) => string | number | null
      const [x, y] = [value(a), value(b)]
      if (x === y) continue
      if (x === null || y === null) return x === null ? 1 : -1
      return x < y === key.startsWith('-') ? 1 : -1
    }
    return 0
  })
}

async function checkList(question: Clocked): Promise<void> {
  const { asked, oracle, asOf, size, one } = question
  const filters = filterParameters(one)
  const sort: [string, string][] = one.sort.length === 0 ? [] : [['sort', one.sort.join(',')]]
  const parameters = [...clocksOf(question), ...filters, ...sort]
  const url = address(question, 'commitments', [...parameters, ['limit', String(one.limit)]])
  const { items, ...frame } = await readAll(asked, url, one.limit)
  const wanted = ordered(filtered(oracle.commitments(asOf, size), filters), one.sort).map(({ answer }) => answer)
  expectSame(
    url,
    items.map(({ id }: { id: string }) => id),
    wanted.map(({ id }) => id),
  )
  expectSame(url, items, wanted)
  const isNarrowed = filters.some(([name]) => ['programme', 'theme', 'party'].includes(name))
  const losses = oracle.losses(size, DEFINITIONS, isNarrowed ? (answer) => belongs(answer, filters) : null)
  const wantedFrame = { next: null, asOf: formatDay(asOf), knownAt: oracle.knownAt(size), rules: '1', ...losses }
  expectSame(url, frame, wantedFrame)
}

const DEFINITIONS = ['RegisterOpened', 'PartyAdded', 'ProgrammeDefined', 'SourceAdded']

async function checkOne(question: Clocked): Promise<void> {
  const { asked, oracle, asOf, size, one } = question
  const id = oracle.ids[one.pick % oracle.ids.length]
  if (id === undefined) return
  const url = address(question, `commitments/${id}`, clocksOf(question))
  const wanted = oracle.commitment(id, asOf, size)
  if (wanted) return expectSame(url, await read(asked, url), wanted)
  expectSame(url, (await asked.get(url)).status, 404)
}

/** The timelines of some commitments: they are quickly asked and rarely short of something to be wrong about. */
async function checkTimelines(question: Clocked): Promise<void> {
  const { asked, oracle, size, one } = question
  const first = one.pick % Math.max(1, oracle.ids.length)
  for (const id of oracle.ids.slice(first, first + 4)) {
    const url = address(question, `commitments/${id}/timeline`, [['knownAt', String(size)]])
    const wanted = oracle.timeline(id, size)
    if (wanted.length > 0) expectSame(url, (await read(asked, url)).items, wanted)
    else expectSame(url, (await asked.get(url)).status, 404)
  }
}

function programmesOf({ one }: Clocked): [string, string][] {
  return one.programmes.map((programme) => ['programme', programme])
}

async function checkSummary(question: Clocked): Promise<void> {
  const { asked, oracle, asOf, size, one } = question
  const groupBy: [string, string][] = one.groupBy.length === 0 ? [] : [['groupBy', one.groupBy.join(',')]]
  const url = address(question, 'summary', [...clocksOf(question), ...programmesOf(question), ...groupBy])
  expectSame(url, withoutLinks(await read(asked, url)), oracle.summary(asOf, size, one.programmes, one.groupBy))
}

const STEP_DAYS: Record<Step, number> = { day: 1, week: 7, month: 30, quarter: 91, year: 365 }

async function checkSeries(question: Clocked): Promise<void> {
  const { asked, oracle, asOf, size, one } = question
  const [from, to] = [asOf, asOf + one.span * STEP_DAYS[one.step]]
  const parameters: [string, string][] = [
    ['from', formatDay(from)],
    ['to', formatDay(to)],
    ['step', one.step],
    ['knownAt', String(size)],
    ...programmesOf(question),
  ]
  const url = address(question, 'summary/series', parameters)
  const items = oracle.series(from, to, one.step, size, one.programmes)
  const frame = { next: null, asOf: formatDay(to), knownAt: oracle.knownAt(size), rules: '1', step: one.step }
  const losses = oracle.lossesOf(size, one.programmes)
  expectSame(url, withoutLinks(await read(asked, url)), { items, ...frame, ...losses })
}

/** What the answer says of an event that caused a change. */
function cause({ position, stream, type, recordedAt }: StoredEvent) {
  const kind = isRepair(type) ? 'repair' : 'news'
  return { event: position, stream, type, recordedAt: new Date(recordedAt).toISOString(), kind }
}

function changedItem({ because, ...rest }: ReturnType<Oracle['difference']>[number]) {
  const causes = because.map(cause)
  const kinds = [...new Set(causes.map(({ kind }) => kind))]
  return { ...rest, kind: kinds.length === 2 ? 'both' : kinds[0], because: causes }
}

async function checkDifference(question: Clocked): Promise<void> {
  const { asked, oracle, asOf, one } = question
  const [from, to] = [question.size, question.size2].sort((a, b) => a - b) as [number, number]
  const clocks: [string, string][] = [
    ['asOf', formatDay(asOf)],
    ['from', String(from)],
    ['to', String(to)],
  ]
  const parameters: [string, string][] = [...clocks, ...programmesOf(question), ['limit', String(one.limit)]]
  const url = address(question, 'summary/difference', parameters)
  const { items, figures, ...frame } = await readAll(asked, url, one.limit)
  expectSame(url, items, oracle.difference(asOf, from, to, one.programmes).map(changedItem))
  const wanted = {
    before: oracle.figures(asOf, from, one.programmes),
    after: oracle.figures(asOf, to, one.programmes),
  }
  expectSame(url, withoutLinks(figures), wanted)
  const known = { from: oracle.knownAt(from), to: oracle.knownAt(to), knownAt: oracle.knownAt(to) }
  const lost = [from, to].flatMap((size) => oracle.lossesOf(size, one.programmes).redacted)
  const redacted = [...new Set(lost)].sort((a, b) => a - b)
  const losses = { redacted, redactedCount: redacted.length }
  expectSame(url, frame, { next: null, asOf: formatDay(asOf), rules: '1', ...known, ...losses })
}

const CHECKS = {
  list: checkList,
  one: checkOne,
  timeline: checkTimelines,
  summary: checkSummary,
  series: checkSeries,
  difference: checkDifference,
}
export type Route = keyof typeof CHECKS
const ROUTES = Object.keys(CHECKS) as Route[]

/** Puts a log into a register in pieces, each followed by every projection. */
export async function insertInPieces(
  { db, registers }: Pick<Asked, 'db' | 'registers'>,
  register: string,
  log: readonly StoredEvent[],
  cuts: readonly number[],
): Promise<void> {
  const ends = [...new Set([...cuts.filter((cut) => 0 < cut && cut < log.length), log.length])].sort((a, b) => a - b)
  let begin = 0
  for (const end of ends) {
    await insertRaw(db, register, log.slice(begin, end))
    for (const projection of PROJECTIONS) await catchUp(db, registers, projection, register)
    begin = end
  }
}

function describeLog(log: readonly StoredEvent[]): string {
  return log
    .map(({ position, stream, type, occurredOn, recordedAt, data, id }) => {
      const at = new Date(recordedAt).toISOString()
      return `${position} ${id.slice(-7)} ${stream} ${type} ${occurredOn} recorded ${at} ${JSON.stringify(data)}`
    })
    .join('\n')
}

export type CheckOptions = {
  asked: Asked
  seed?: number
  /** How many pairs of clocks each log is asked at. */
  questions?: number
  /** How many events a log has at most. */
  events?: number
  /** Which routes are asked. */
  routes?: readonly Route[]
  /** Erases some of a log once it was asked about, and gives what is left: it is asked about again. */
  erase?: (register: string, log: readonly StoredEvent[]) => Promise<StoredEvent[]>
  /** How long a log that shows a difference may be made smaller. */
  shrinkMs?: number
}
export type Checked = {
  logs: number
  /** How many answers were compared, the pages of one list counted once. Neither counts what came after a difference. */
  answers: number
  /** The first difference, with the smallest log that was found to show it; null where there is none. */
  difference: string | null
}

/** Compares what a service answers about this many random logs with the oracle; ends at the first difference. */
export async function checkRandomLogs(count: number, options: CheckOptions): Promise<Checked> {
  const { asked, seed = 20_260_226, questions = 4, events = 300, routes = ROUTES, erase, shrinkMs = 30_000 } = options
  const [checked, run] = [{ logs: 0, answers: 0 }, `${seed}-${performance.now().toString().replace('.', '-')}`]
  let registers = 0
  let failedAt: number | null = null
  let shown = ''
  const check = async (log: StoredEvent[], all: Question[], cuts: number[]) => {
    // Whatever is smaller is taken to pass once the time is up: the smallest failing log so far is shown.
    if (failedAt !== null && performance.now() - failedAt > shrinkMs) return
    registers += 1
    const register = `log-${run}-${registers}`
    const ask = async (held: StoredEvent[]) => {
      const oracle = createOracle(register, held)
      for (const one of all) {
        const question = clocked(asked, oracle, register, one)
        for (const route of routes) await CHECKS[route](question)
        if (failedAt === null) checked.answers += routes.length
      }
    }
    try {
      await insertInPieces(asked, register, log, cuts)
      await ask(log)
      if (erase) await ask(await erase(register, log))
      if (failedAt === null) checked.logs += 1
    } catch (error) {
      failedAt ??= performance.now()
      shown = `${error instanceof DifferenceError ? error.message : (error as Error).stack}\n${describeLog(log)}`
      throw error
    }
  }
  const asking = fc.array(question, { minLength: questions, maxLength: questions })
  const cuts = fc.array(fc.nat({ max: events }), { maxLength: 3 })
  const { failed } = await fc.check(fc.asyncProperty(anyRawLog(events), asking, cuts, check), { numRuns: count, seed })
  return { ...checked, difference: failed ? shown : null }
}
