// What the table of event types says is held against what folds and admission do.

import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { admit } from '../../src/domain/admission/admit.ts'
import { EVENT_TYPES, EVENTS, type EventType } from '../../src/domain/admission/posted-event.ts'
import {
  COMMITMENT_EVENTS,
  type CommitmentEventType,
  type CommitmentPart,
  commitmentEntry,
  typesThatMove,
} from '../../src/domain/commitment/events.ts'
import {
  type CommitmentFact,
  type CommitmentState,
  commitmentFacts,
  evolve,
  foldFacts,
  PART_OF,
} from '../../src/domain/commitment/state.ts'
import { citation, REGISTER_STREAM, type StoredEvent } from '../../src/domain/event.ts'
import { leavesOf, meaningfulFields } from '../../src/domain/field-walk.ts'
import { FIELD_MEANINGS } from '../../src/domain/fields.ts'
import { REGISTER_EVENTS, type RegisterPart } from '../../src/domain/register/events.ts'
import { type RegisterState, registerAt } from '../../src/domain/register/state.ts'
import { isRepair } from '../../src/domain/repairs.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { anyDataOf } from '../support/any-data.ts'
import { anyLog, type Draft, fact, given, inStream, made, opened, recorded } from '../support/events.ts'

/** True for a field that holds an id: its text is bound to the letters of ids, or is a UUID. */
function isId(schema: z.ZodType): boolean {
  const { pattern, format } = z.toJSONSchema(schema, { unrepresentable: 'any' })
  return format === 'uuid' || (pattern !== undefined && format === undefined)
}

t.test('every id in an event says what it is the id of', async (t) => {
  const fields = [...EVENT_TYPES.map((type) => [type, EVENTS[type].data] as const), ['citation', citation] as const]
  const ids = fields.flatMap(([type, data]) =>
    leavesOf(data)
      .filter(({ schema }) => isId(schema))
      .map(({ path, schema }) => ({ at: `${type}.${path.join('.')}`, meaning: FIELD_MEANINGS.get(schema)?.kind })),
  )
  t.ok(ids.length > 12, `${ids.length} ids`)
  t.strictSame(
    ids.filter(({ meaning }) => meaning !== 'reference' && meaning !== 'name').map(({ at }) => at),
    [],
  )
})

// Admission.

const REGISTER = [
  opened(),
  inStream(REGISTER_STREAM, fact('ProgrammeDefined', '2025-01-01', { programme: 'p', title: 'P' })),
]

function outcome(draft: Draft, type: EventType): string {
  const log = given(...REGISTER, made('2025-01-01'))
  const stream = draft.stream ?? 'c'
  const ofRegister = log.filter((event) => event.stream === REGISTER_STREAM)
  const context = {
    commitment: type === 'CommitmentMade' ? [] : log.filter((event) => event.stream === stream),
    register: registerAt(ofRegister, log.length),
    streamOf: () => undefined,
    today: dayOf('2026-03-01'),
  }
  const decision = admit(context, { ...draft, type, stream, typeVersion: 1 })
  return decision.kind === 'admitted' ? 'admitted' : `${decision.word} ${decision.issues[0]?.pointer}`
}

/** Data in which every member is there, and every list holds one item. */
function wholeData(type: EventType, pools: Record<string, string[]>): Record<string, unknown> {
  const all = fc.sample(anyDataOf(type, { source: ['s'], commitment: ['other'], milestone: ['m'], ...pools }), {
    numRuns: 200,
    seed: 7,
  })
  return Object.assign(
    {},
    ...all.flatMap((data) =>
      Object.entries(data)
        .filter(([, value]) => isThere(value))
        .map(([name, value]) => ({ [name]: value })),
    ),
  )
}

function isThere(value: unknown): boolean {
  return value !== null && !(Array.isArray(value) && value.length === 0)
}

t.test(
  'whatever type of fact names a party or a programme, it is refused where the register does not define it',
  async (t) => {
    const facts = EVENT_TYPES.filter((type) => !isRepair(type) && type !== 'RegisterOpened')
    let named = 0
    for (const type of facts) {
      const draft = (pools: Record<string, string[]>): Draft => {
        const ofRegister = Object.hasOwn(REGISTER_EVENTS, type)
        const body = fact(type, '2025-02-01', wholeData(type, pools))
        return ofRegister ? inStream(REGISTER_STREAM, body) : body
      }
      t.equal(outcome(draft({ party: ['A'], programme: ['p'] }), type), 'admitted', type)
      const references = meaningfulFields(EVENTS[type].data).flatMap(({ meaning }) =>
        meaning.kind === 'reference' ? [meaning.to] : [],
      )
      for (const to of ['party', 'programme'] as const) {
        if (!references.includes(to)) continue
        named += 1
        const defined = { party: ['A'], programme: ['p'] }
        t.match(
          outcome(draft({ ...defined, [to]: ['nowhere'] }), type),
          new RegExp(`^unknown-${to} /data/`),
          `${type}: ${to}`,
        )
      }
    }
    t.ok(named >= 6, `${named} references`)
  },
)

// Folds.

type Moved = Map<string, Set<string>>

function note(moved: Moved, type: string, parts: readonly string[]): void {
  const known = moved.get(type) ?? new Set()
  for (const part of parts) known.add(part)
  moved.set(type, known)
}

/** What a table says that each type moves, in order, without those that move nothing. */
function declared(table: Readonly<Record<string, { moves: readonly string[] }>>): [string, string[]][] {
  return Object.entries(table)
    .map(([type, { moves }]): [string, string[]] => [type, moves.toSorted()])
    .filter(([, moves]) => moves.length > 0)
}

function seen(moved: Moved, table: object): [string, string[]][] {
  return Object.keys(table)
    .map((type): [string, string[]] => [type, [...(moved.get(type) ?? [])].sort()])
    .filter(([, moves]) => moves.length > 0)
}

/** The parts in which two states differ; that words of a status no longer count is no part of its own. */
function differingParts(a: CommitmentState, b: CommitmentState): CommitmentPart[] {
  const members = Object.keys(PART_OF) as (keyof CommitmentState)[]
  const plain = (state: CommitmentState, member: keyof CommitmentState) =>
    JSON.stringify(
      member === 'reportedStatus' && state.reportedStatus ? { ...state.reportedStatus, settled: null } : state[member],
    )
  return members.flatMap((member) => {
    const part = PART_OF[member]
    return part !== null && plain(a, member) !== plain(b, member) ? [part] : []
  })
}

t.test('each type of fact about a commitment moves the parts that its entry names, and no others', async (t) => {
  const moved: Moved = new Map()
  const facts = (events: readonly StoredEvent[]) => commitmentFacts(events, { size: events.length, timeZone: 'UTC' })
  const whatMoves = (log: readonly StoredEvent[]) => {
    let state: CommitmentState | null = null
    for (const one of facts(log)) {
      const next: CommitmentState | null = state ? evolve(state, one) : foldFacts([one], one.on)
      if (state && next) note(moved, one.type, differingParts(state, next))
      state = next
    }
  }
  fc.assert(fc.property(anyLog(['c'], 30), whatMoves), { numRuns: 1_500, seed: 11 })
  // The first promise opens the state: what it moves is what differs where another is made on that day.
  const opening = (data: Record<string, unknown>): CommitmentState => {
    const [first] = facts(given(made('2025-01-01', data))) as [CommitmentFact]
    return foldFacts([first], first.on) as CommitmentState
  }
  const data = anyDataOf('CommitmentMade')
  fc.assert(
    fc.property(data, data, (a, b) => note(moved, 'CommitmentMade', differingParts(opening(a), opening(b)))),
    { seed: 11 },
  )
  t.strictSame(seen(moved, COMMITMENT_EVENTS), declared(COMMITMENT_EVENTS))
})

/** The state of a register by its parts, as text. */
function registerParts({ title, timeZone, figures, ...maps }: RegisterState): Record<RegisterPart, string> {
  const textOf = (map: Map<string, unknown>) => JSON.stringify([...map])
  return {
    title,
    timeZone,
    figures: JSON.stringify(figures),
    parties: textOf(maps.parties),
    programmes: textOf(maps.programmes),
    sources: textOf(maps.sources),
  }
}

t.test('each type of fact about a register moves the parts that its entry names, and no others', async (t) => {
  const moved: Moved = new Map()
  const zones = fc.constantFrom('UTC', 'Europe/Minsk', 'Pacific/Kiritimati')
  const types = Object.keys(REGISTER_EVENTS) as (keyof typeof REGISTER_EVENTS)[]
  const anyOpening = fc
    .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('A', 'B'), zones)
    .map(([title, id, timeZone]) => opened('2000-01-01', { title, parties: [{ id, name: id }], timeZone }))
  const stateOf = (...drafts: Draft[]) => registerParts(registerAt(given(...drafts), drafts.length))
  const differing = (a: Record<RegisterPart, string>, b: Record<RegisterPart, string>) =>
    (Object.keys(a) as RegisterPart[]).filter((part) => a[part] !== b[part])
  fc.assert(
    fc.property(anyOpening, anyOpening, (a, b) => note(moved, 'RegisterOpened', differing(stateOf(a), stateOf(b)))),
    { seed: 11 },
  )
  for (const type of types.filter((one) => one !== 'RegisterOpened')) {
    const draft = anyDataOf(type).map((data) =>
      recorded('2026-01-01', inStream(REGISTER_STREAM, fact(type, '2025-01-01', data))),
    )
    fc.assert(
      fc.property(draft, (one) => note(moved, type, differing(stateOf(opened()), stateOf(opened(), one)))),
      { seed: 11, numRuns: 50 },
    )
  }
  t.strictSame(seen(moved, REGISTER_EVENTS), declared(REGISTER_EVENTS))
})

t.test('a type moves baselines exactly if it has a date that is one', async (t) => {
  const withDates = (Object.keys(COMMITMENT_EVENTS) as CommitmentEventType[]).filter((type) =>
    meaningfulFields(commitmentEntry(type).data).some(({ meaning }) => meaning.kind === 'baselineDate'),
  )
  t.strictSame(typesThatMove('baselines'), withDates)
})
