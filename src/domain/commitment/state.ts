// What one commitment's facts amount to: the events, the fold, and nothing about the day on which it is asked. Status and
// slippage, which move as days pass, are derived from this state in portfolio/.

import type { z } from 'zod'
import { assertNever } from '../../kernel/assert-never.ts'
import { canBeSameDay, contains, type DateRange, type Day, dateRangeOf, lastDayOf } from '../../kernel/plain-date.ts'
import type { Lifecycle } from '../axes.ts'
import type { Citation, EventToFold } from '../event.ts'
import { type Fact, type Knowledge, knownFacts, UnreadableEventError } from '../repairs.ts'
import { COMMITMENT_EVENTS, type CommitmentEventType, type CommitmentPart, isCommitmentFact } from './events.ts'

type DataOf<T extends CommitmentEventType> = z.output<(typeof COMMITMENT_EVENTS)[T]['data']>
export type CommitmentFact = { [T in CommitmentEventType]: Fact<T, DataOf<T>> }[CommitmentEventType]
type FactOf<T extends CommitmentEventType> = Extract<CommitmentFact, { type: T }>
/** The types that are folded before all others, whatever their day. */
type OpeningType = {
  [T in CommitmentEventType]: (typeof COMMITMENT_EVENTS)[T]['acts'] extends 'first' ? T : never
}[CommitmentEventType]

/** True for a fact that is folded before all others: it opens the state. */
export function isOpening(fact: CommitmentFact): fact is FactOf<OpeningType> {
  return COMMITMENT_EVENTS[fact.type].acts === 'first'
}

type Target = NonNullable<DataOf<'CommitmentMade'>['target']>

/** A fact's place in the record: its position, when it became true, and where it stands. */
export type FactRef = { position: number; on: Day; occurredOn: string; citations: Citation[] }

export type Baseline = FactRef & {
  due: string
  dueOn: Day
  reason: string | null
  reasonCode: string | null
  approvedBy: string | null
}
type Claim = FactRef & { partial: boolean; conflicting: FactRef[] }
export type ReportedStatus = FactRef & {
  status: string
  means: 'onSchedule' | 'late' | 'delivered' | 'notDelivered' | null
  note: string | null
  /** A later event changed lifecycle or schedule, so that the words are no longer held against the derived status. */
  settled: boolean
}
export type Milestone = { milestone: string; title: string | null; due: string | null; met: FactRef | null }
type Assessment = FactRef &
  Required<Pick<DataOf<'AssessmentRecorded'>, 'assessor' | 'scale' | 'scaleVersion' | 'rating'>> & {
    note: string | null
  }

export type CommitmentState = {
  made: FactRef
  /** Further promises of the same id that stand beside the one that counts. */
  madeAgain: FactRef[]
  title: string
  description: string | null
  programme: string | null
  themes: string[]
  parties: string[]
  /** The facts that set the programme and the parties: what an undefined reference is blamed on. */
  programmeBy: FactRef
  partiesBy: FactRef
  target: Target | null
  earlierTargets: Target[]
  /** Number 0 is the original; in fold order. */
  baselines: Baseline[]
  forecast: (FactRef & { finish: string; finishOn: Day }) | null
  forecastPushes: number
  lifecycle: Lifecycle
  supersededBy: string[]
  /** What ended it, while it is withdrawn, superseded or notDelivered. */
  ended: FactRef | null
  /** The first standing claim, full before partial. */
  claim: Claim | null
  /** The last word of others on the claim since it was last given up or reinstated. */
  mark: (FactRef & { kind: 'verified' | 'disputed' }) | null
  reportedStatus: ReportedStatus | null
  progress: (FactRef & { value: number | null; percent: number | null; note: string | null }) | null
  milestones: Milestone[]
  assessments: Assessment[]
  /** Every citation of every fact in force, in fold order, with the fact's position; the whole fold gathers them. */
  citations: (Citation & { event: number })[]
  /** The latest effective day of any fact in force. */
  lastOn: Day
}

/** The part of the state that a member belongs to; null for what every fact moves. */
export const PART_OF: Readonly<Record<keyof CommitmentState, CommitmentPart | null>> = {
  made: 'promise',
  madeAgain: 'promise',
  title: 'wording',
  description: 'wording',
  programme: 'membership',
  themes: 'membership',
  parties: 'membership',
  programmeBy: 'membership',
  partiesBy: 'membership',
  target: 'target',
  earlierTargets: 'target',
  baselines: 'baselines',
  forecast: 'forecast',
  forecastPushes: 'forecast',
  lifecycle: 'lifecycle',
  supersededBy: 'lifecycle',
  ended: 'lifecycle',
  claim: 'claim',
  mark: 'mark',
  reportedStatus: 'reportedStatus',
  progress: 'progress',
  milestones: 'milestones',
  assessments: 'assessments',
  citations: null,
  lastOn: null,
}

/** How a fold dates its facts: by their effective day, or by their first (to see what imprecise dates leave open). */
export type Dating = 'on' | 'firstOn'

function factRef(fact: CommitmentFact, dating: Dating): FactRef {
  return {
    position: fact.position,
    on: fact[dating],
    occurredOn: fact.occurredOn.value,
    citations: fact.citations,
  }
}

function baseline(
  fact: FactOf<'CommitmentRebaselined'> | FactOf<'CommitmentMade'>,
  due: string,
  dating: Dating,
): Baseline {
  const rebaselined = fact.type === 'CommitmentRebaselined' ? fact.data : null
  return {
    ...factRef(fact, dating),
    due,
    dueOn: lastDayOf(due),
    reason: rebaselined?.reason ?? null,
    reasonCode: rebaselined?.reasonCode ?? null,
    approvedBy: rebaselined?.approvedBy ?? null,
  }
}

function open(fact: FactOf<'CommitmentMade'>, dating: Dating): CommitmentState {
  const { title, description, programme, themes, parties, due, target } = fact.data
  return {
    made: factRef(fact, dating),
    madeAgain: [],
    title,
    description: description ?? null,
    programme: programme ?? null,
    themes,
    parties,
    programmeBy: factRef(fact, dating),
    partiesBy: factRef(fact, dating),
    target: target ?? null,
    earlierTargets: [],
    baselines: due === undefined ? [] : [baseline(fact, due, dating)],
    forecast: null,
    forecastPushes: 0,
    lifecycle: 'open',
    supersededBy: [],
    ended: null,
    claim: null,
    mark: null,
    reportedStatus: null,
    progress: null,
    milestones: [],
    assessments: [],
    citations: [],
    lastOn: fact[dating],
  }
}

function cited(fact: CommitmentFact): CommitmentState['citations'] {
  return fact.citations.map((citation) => ({ ...citation, event: fact.position }))
}

function amend(state: CommitmentState, fact: FactOf<'CommitmentAmended'>, dating: Dating): Partial<CommitmentState> {
  const { data } = fact
  const changed: Partial<CommitmentState> = {}
  if (data.title !== undefined) changed.title = data.title
  if (data.description !== undefined) changed.description = data.description
  if (data.programme !== undefined) {
    changed.programme = data.programme
    changed.programmeBy = factRef(fact, dating)
  }
  if (data.themes !== undefined) changed.themes = data.themes ?? []
  if (data.parties !== undefined) {
    changed.parties = data.parties ?? []
    changed.partiesBy = factRef(fact, dating)
  }
  if (data.target !== undefined) {
    changed.target = data.target
    if (state.target) changed.earlierTargets = [...state.earlierTargets, state.target]
  }
  return changed
}

function forecast(state: CommitmentState, fact: FactOf<'ForecastReported'>, dating: Dating): Partial<CommitmentState> {
  const finishOn = lastDayOf(fact.data.finish)
  const pushed = state.forecast !== null && finishOn > state.forecast.finishOn
  return {
    forecast: { ...factRef(fact, dating), finish: fact.data.finish, finishOn },
    forecastPushes: state.forecastPushes + (pushed ? 1 : 0),
  }
}

function setMilestone(milestones: Milestone[], id: string, set: Partial<Milestone>): Milestone[] {
  const known = milestones.find(({ milestone }) => milestone === id)
  if (!known) return [...milestones, { milestone: id, title: null, due: null, met: null, ...set }]
  return milestones.map((milestone) => (milestone === known ? { ...known, ...set } : milestone))
}

function meetMilestone(state: CommitmentState, id: string, met: FactRef): Partial<CommitmentState> {
  // The first report that it was met gives the day, as with deliveries.
  if (state.milestones.some(({ milestone, met }) => milestone === id && met)) return {}
  return { milestones: setMilestone(state.milestones, id, { met }) }
}

/** True once the commitment was withdrawn, superseded or declared not delivered, until it is reinstated. */
export function isClosed(lifecycle: Lifecycle): boolean {
  return lifecycle === 'withdrawn' || lifecycle === 'superseded' || lifecycle === 'notDelivered'
}

function claim(state: CommitmentState, fact: FactOf<'DeliveryReported'>, dating: Dating): Partial<CommitmentState> {
  if (isClosed(state.lifecycle)) return {}
  const partial = fact.data.partial === true
  const first = state.claim
  if (first && !first.partial) return partial ? {} : furtherClaim(first, fact, dating)
  // A partial claim while suspended takes effect too, though an earlier partial claim keeps its place.
  if (partial) {
    return {
      claim: first ?? { ...factRef(fact, dating), partial, conflicting: [] },
      lifecycle: 'partiallyDelivered',
    }
  }
  return { claim: { ...factRef(fact, dating), partial, conflicting: [] }, lifecycle: 'delivered' }
}

function furtherClaim(claimed: Claim, fact: FactOf<'DeliveryReported'>, dating: Dating): Partial<CommitmentState> {
  const first: DateRange = dateRangeOf(claimed.occurredOn)
  if (contains(fact.occurredOn, claimed.on) || canBeSameDay(first, fact.occurredOn)) return {}
  return { claim: { ...claimed, conflicting: [...claimed.conflicting, factRef(fact, dating)] } }
}

function reopen(state: CommitmentState): Partial<CommitmentState> {
  return state.claim ? { claim: null, mark: null, lifecycle: 'open' } : {}
}

function suspend(state: CommitmentState): Partial<CommitmentState> {
  return state.lifecycle === 'open' || state.lifecycle === 'partiallyDelivered' ? { lifecycle: 'suspended' } : {}
}

function resume(state: CommitmentState): Partial<CommitmentState> {
  return state.lifecycle === 'suspended' ? { lifecycle: state.claim ? 'partiallyDelivered' : 'open' } : {}
}

function end(
  state: CommitmentState,
  lifecycle: 'withdrawn' | 'superseded' | 'notDelivered',
  ended: FactRef,
  supersededBy: string[] = [],
): Partial<CommitmentState> {
  return isClosed(state.lifecycle) ? {} : { lifecycle, ended, supersededBy, claim: null }
}

function reinstate(state: CommitmentState): Partial<CommitmentState> {
  if (!isClosed(state.lifecycle)) return {}
  return { lifecycle: 'open', ended: null, supersededBy: [], claim: null, mark: null }
}

function assess(state: CommitmentState, fact: FactOf<'AssessmentRecorded'>, dating: Dating): Partial<CommitmentState> {
  const { assessor, scale, note, ...rest } = fact.data
  const others = state.assessments.filter((other) => other.assessor !== assessor || other.scale !== scale)
  const assessment = { ...factRef(fact, dating), assessor, scale, ...rest, note: note ?? null }
  return { assessments: [...others, assessment] }
}

function report(fact: FactOf<'StatusReported'>, dating: Dating): Partial<CommitmentState> {
  const { status, means, note } = fact.data
  const said = { status, means: means ?? null, note: note ?? null, settled: false }
  return { reportedStatus: { ...factRef(fact, dating), ...said } }
}

function progress(fact: FactOf<'ProgressReported'>, dating: Dating): Partial<CommitmentState> {
  const { value, percent, note } = fact.data
  return {
    progress: { ...factRef(fact, dating), value: value ?? null, percent: percent ?? null, note: note ?? null },
  }
}

/** What one fact changes; an empty object where it does not act. */
function changes(state: CommitmentState, fact: CommitmentFact, dating: Dating): Partial<CommitmentState> {
  switch (fact.type) {
    case 'CommitmentMade':
      return { madeAgain: [...state.madeAgain, factRef(fact, dating)] }
    case 'CommitmentAmended':
      return amend(state, fact, dating)
    case 'CommitmentRebaselined':
      return { baselines: [...state.baselines, baseline(fact, fact.data.due, dating)] }
    case 'ForecastReported':
      return forecast(state, fact, dating)
    case 'MilestoneSet': {
      const { milestone, title, due } = fact.data
      return { milestones: setMilestone(state.milestones, milestone, { title, due: due ?? null }) }
    }
    case 'MilestoneMet':
      return meetMilestone(state, fact.data.milestone, factRef(fact, dating))
    case 'ProgressReported':
      return progress(fact, dating)
    case 'StatusReported':
      return report(fact, dating)
    case 'StatusReaffirmed':
      return {}
    case 'DeliveryReported':
      return claim(state, fact, dating)
    case 'DeliveryVerified':
      return { mark: { ...factRef(fact, dating), kind: 'verified' } }
    case 'DeliveryDisputed':
      return { mark: { ...factRef(fact, dating), kind: 'disputed' } }
    case 'DeliveryReopened':
      return reopen(state)
    case 'CommitmentSuspended':
      return suspend(state)
    case 'CommitmentResumed':
      return resume(state)
    case 'CommitmentWithdrawn':
      return end(state, 'withdrawn', factRef(fact, dating))
    case 'CommitmentSuperseded':
      return end(state, 'superseded', factRef(fact, dating), fact.data.by)
    case 'CommitmentNotDelivered':
      return end(state, 'notDelivered', factRef(fact, dating))
    case 'CommitmentReinstated':
      return reinstate(state)
    case 'AssessmentRecorded':
      return assess(state, fact, dating)
    default:
      return assertNever(fact)
  }
}

function settles(changed: Partial<CommitmentState>): boolean {
  return 'lifecycle' in changed || 'baselines' in changed || 'forecast' in changed
}

/** The state after one more fact. Total: every fact can follow every state. */
export function evolve(state: CommitmentState, fact: CommitmentFact, dating: Dating = 'on'): CommitmentState {
  const changed = changes(state, fact, dating)
  const { reportedStatus } = state
  const next: CommitmentState = {
    ...state,
    ...changed,
    lastOn: Math.max(state.lastOn, fact[dating]),
  }
  if (reportedStatus && settles(changed)) next.reportedStatus = { ...reportedStatus, settled: true }
  return next
}

/**
 * The fold: of the facts whose day is not after `asOf`, the first `CommitmentMade` by position, then the rest in order of
 * (day, position). Null while nothing of the kind was promised.
 */
export function foldFacts(facts: readonly CommitmentFact[], asOf: Day, dating: Dating = 'on'): CommitmentState | null {
  const inForce = facts.filter((fact) => fact[dating] <= asOf)
  const made = inForce.find(isOpening)
  if (!made) return null
  const rest = inForce.filter((fact) => fact !== made)
  rest.sort((a, b) => a[dating] - b[dating] || a.position - b.position)
  const state = rest.reduce((before, fact) => evolve(before, fact, dating), open(made, dating))
  // Gathered once at the end: copied at every step, the citations of a long stream would cost its length squared.
  return { ...state, citations: [made, ...rest].flatMap(cited) }
}

/**
 * The facts of a commitment's stream that hold at a knowledge. Throws UnreadableEventError on a type that it does not
 * know.
 */
export function commitmentFacts(events: readonly EventToFold[], knowledge: Knowledge): CommitmentFact[] {
  const facts = knownFacts(events, knowledge)
  for (const fact of facts) if (!isCommitmentFact(fact.type)) throw new UnreadableEventError(fact)
  // Safe: the type is one of the commitment's, and its data was parsed by the schema of that type when it was recorded.
  return facts as CommitmentFact[]
}

/** A commitment at (asOf, knownAt), folded by effective days and again by first days. */
export type States = { latest: CommitmentState; earliest: CommitmentState }

/** Both folds of the same facts; null where the commitment is not made by then. */
export function foldBoth(facts: readonly CommitmentFact[], asOf: Day): States | null {
  const latest = foldFacts(facts, asOf)
  // Where every date is a day both folds are one.
  if (latest && facts.every((fact) => fact.on === fact.firstOn)) return { latest, earliest: latest }
  // A first day is never after the effective day, so where it is made by the one it is made by the other.
  return latest && { latest, earliest: foldFacts(facts, asOf, 'firstOn') ?? latest }
}

/**
 * The two-clock rule: the state of a commitment as of a day, known at a size. Null where it is not known or not made by
 * then.
 */
export function stateAt(
  events: readonly EventToFold[],
  { asOf, knownAt, timeZone }: { asOf: Day; knownAt: number; timeZone: string },
): States | null {
  return foldBoth(commitmentFacts(events, { size: knownAt, timeZone }), asOf)
}
