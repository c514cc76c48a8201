// One made-up commitment of the synthetic register: its facts from the promise on, in order of their days.

import type { Citation } from '../domain/event.ts'
import { type Day, formatDay } from '../kernel/plain-date.ts'
import type { Random } from './random.ts'
import { type FactData, type FactType, type SampleFact, sampleFact } from './sample-event.ts'
import { type PlannedOutcome, type SyntheticSchedule, syntheticSchedule } from './synthetic-schedule.ts'
import {
  DISPUTES,
  METHODS,
  MILESTONE_STEPS,
  NOTES,
  PARTIES,
  PROGRAMMES,
  RATINGS,
  REASONS,
  SOURCES,
  SUSPENSIONS,
  THEMES,
  VERBS,
} from './synthetic-words.ts'

export type SyntheticPlan = { stream: string; number: number; outcome: PlannedOutcome; asOf: Day }

type Setting = SyntheticPlan &
  SyntheticSchedule & {
    random: Random
    party: (typeof PARTIES)[number]
    theme: (typeof THEMES)[number]
    target: { value: number; unit: string } | null
    /** Whether it is expected later than promised. */
    slips: boolean
    /** Between these days things happen on the way: after the promise, before the delivery. */
    from: Day
    until: Day
  }

type Dated = { on: Day; fact: SampleFact }

/** The facts of one commitment, 4 to 12, `CommitmentMade` first; nothing happens after `asOf`. */
export function syntheticCommitment(random: Random, plan: SyntheticPlan): SampleFact[] {
  const setting = settingOf(random, plan)
  const told = [...promise(setting), ...rebaselines(setting), ...delivery(setting)]
  const wanted = random.int(4, 10)
  tellAsides(setting, told, wanted)
  return told.toSorted((a, b) => a.on - b.on).map(({ fact }) => fact)
}

function settingOf(random: Random, plan: SyntheticPlan): Setting {
  const schedule = syntheticSchedule(random, plan.outcome, plan.asOf)
  const theme = random.pick(THEMES)
  return {
    ...plan,
    ...schedule,
    random,
    party: random.pick(PARTIES),
    theme,
    target: random.chance(0.25) ? { value: 10 * random.int(1, 50), unit: theme.unit } : null,
    slips: random.chance(0.3),
    from: schedule.madeOn + 40,
    until: (schedule.finishedOn ?? plan.asOf) - 1,
  }
}

/** A fact of the commitment; said by the office of its party, that day, unless told otherwise. */
function tell<T extends FactType>(
  setting: Setting,
  on: Day,
  type: T,
  data: FactData<T>,
  { occurredOn = formatDay(on), claimedBy = `Office of ${setting.party.name}`, claimedOn = on } = {},
): Dated {
  const { random, stream, number } = setting
  const { source } = random.pick(SOURCES)
  const cited: Citation = { source, locator: `item ${number}`, claimedBy, claimedOn: formatDay(claimedOn) }
  return { on, fact: sampleFact(stream, type, occurredOn, data, [cited]) }
}

/** A due day, which ends its month, as that month or as that day. */
function dueText(random: Random, due: Day): string {
  return random.chance(0.4) ? monthOf(due) : formatDay(due)
}

function monthOf(day: Day): string {
  return formatDay(day).slice(0, 7)
}

function promise(setting: Setting): Dated[] {
  const { random, number, madeOn, originalDue, party, theme, target } = setting
  const { programme } = random.pick(PROGRAMMES)
  const others = [random.pick(THEMES).name, random.pick(PARTIES).id] as const
  const data = {
    title: `${random.pick(VERBS)} ${random.pick(theme.objects)} (measure ${number})`,
    ...(random.chance(0.95) && { programme }),
    themes: random.chance(0.2) ? [...new Set([theme.name, others[0]])] : [theme.name],
    parties: random.chance(0.3) ? [...new Set([party.id, others[1]])] : [party.id],
    due: dueText(random, originalDue),
    ...(target && { target }),
  }
  // A month reaches no further than the first day of anything else that happens.
  const occurredOn = random.chance(0.1) ? monthOf(madeOn) : formatDay(madeOn)
  return [tell(setting, madeOn, 'CommitmentMade', data, { occurredOn })]
}

function rebaselines(setting: Setting): Dated[] {
  return setting.rebaselines.map(({ on, due }) =>
    tell(setting, on, 'CommitmentRebaselined', {
      due: dueText(setting.random, due),
      ...setting.random.pick(REASONS),
      approvedBy: 'Steering group',
    }),
  )
}

/** The claim and, in about half of the cases, what the auditors found. */
function delivery(setting: Setting): Dated[] {
  const { random, finishedOn } = setting
  if (finishedOn === null) return []
  // Some sources only say that it was done within three weeks; the last day counts.
  const occurredOn = `${random.chance(0.15) ? `${formatDay(finishedOn - 20)}/` : ''}${formatDay(finishedOn)}`
  const claimedOn = soonAfter(setting, finishedOn, 10)
  const claim = tell(setting, finishedOn, 'DeliveryReported', {}, { occurredOn, claimedOn })
  return [claim, ...check(setting, soonAfter(setting, claimedOn, 60))]
}

function soonAfter({ random, asOf }: Setting, day: Day, mostDays: number): Day {
  return day + random.int(0, Math.min(mostDays, asOf - day))
}

function check(setting: Setting, on: Day): Dated[] {
  const { random } = setting
  const draw = random.int(1, 100)
  if (draw <= 5) {
    const reason = random.pick(DISPUTES)
    return [tell(setting, on, 'DeliveryDisputed', { reason }, { claimedBy: 'Independent observer' })]
  }
  if (draw > 55) return []
  return [tell(setting, on, 'DeliveryVerified', { method: random.pick(METHODS) }, { claimedBy: 'Audit office' })]
}

/** Something on the way; `nth` counts those of its kind, from 1. Nothing where it does not fit. */
type Aside = (setting: Setting, nth: number) => Dated[]

// Together they can always tell more than is wanted: at least 11 facts.
const ASIDES: readonly { tell: Aside; weight: number; most: number }[] = [
  { tell: progress, weight: 16, most: 3 },
  { tell: milestone, weight: 12, most: 3 },
  { tell: forecast, weight: 8, most: 1 },
  { tell: status, weight: 8, most: 2 },
  { tell: reaffirmation, weight: 4, most: 1 },
  { tell: assessment, weight: 4, most: 1 },
  { tell: suspension, weight: 1, most: 1 },
  { tell: partialClaim, weight: 1, most: 1 },
]

const WEIGHED = ASIDES.flatMap((aside) => Array<typeof aside>(aside.weight).fill(aside))

/** Adds asides until `wanted` facts are told, at most one more. */
function tellAsides(setting: Setting, told: Dated[], wanted: number): void {
  const counts = new Map<Aside, number>()
  while (told.length < wanted) {
    const aside = setting.random.pick(WEIGHED)
    const nth = (counts.get(aside.tell) ?? 0) + 1
    if (nth > aside.most) continue
    counts.set(aside.tell, nth)
    told.push(...aside.tell(setting, nth))
  }
}

function progress(setting: Setting): Dated[] {
  const { random, target, madeOn, finishedOn, outcome, asOf, currentDue } = setting
  const on = random.int(setting.from, setting.until)
  // Grows with the days, so that no later report says less.
  const end = finishedOn ?? (outcome === 'late' ? asOf : currentDue)
  const done = ((on - madeOn) / (end - madeOn)) * 0.9
  const note = random.chance(0.5) ? { note: random.pick(NOTES) } : {}
  const amount = target ? { value: Math.floor(target.value * done) } : { percent: Math.floor(100 * done) }
  return [tell(setting, on, 'ProgressReported', { ...amount, ...note })]
}

function milestone(setting: Setting, nth: number): Dated[] {
  const { random, from, until, outcome } = setting
  const [setOn, metOn] = inOrder(random.int(from, until), random.int(from, until))
  const due = formatDay(setOn + random.int(30, 120))
  const id = `step-${nth}`
  const set = tell(setting, setOn, 'MilestoneSet', { milestone: id, title: random.pick(MILESTONE_STEPS), due })
  const met = tell(setting, metOn, 'MilestoneMet', { milestone: id })
  return random.chance(outcome === 'delivered' ? 0.9 : 0.5) ? [set, met] : [set]
}

/** Expected by the due day; of what slips, expected later afterwards. */
function forecast(setting: Setting): Dated[] {
  const { random, from, until, outcome, currentDue, asOf, slips } = setting
  const [firstOn, thenOn] = inOrder(random.int(from, until), random.int(from, until))
  const first = tell(setting, firstOn, 'ForecastReported', { finish: formatDay(currentDue - random.int(0, 30)) })
  if (!slips) return [first]
  const later = (outcome === 'late' ? asOf : currentDue) + random.int(30, 300)
  return [first, tell(setting, thenOn, 'ForecastReported', { finish: formatDay(later) })]
}

/** What the office says of it; `means` agrees with the facts, for contradictions are not made up here. */
function status(setting: Setting): Dated[] {
  const { random, from, until, outcome, finishedOn, currentDue, asOf, slips } = setting
  if (outcome === 'late') {
    const on = random.int(currentDue + 1, asOf)
    return [tell(setting, on, 'StatusReported', { status: 'Behind schedule', means: 'late' })]
  }
  if (finishedOn !== null && random.chance(0.5)) {
    const on = soonAfter(setting, finishedOn, 90)
    return [tell(setting, on, 'StatusReported', { status: 'Completed', means: 'delivered' })]
  }
  const on = random.int(from, until)
  if (finishedOn !== null || slips) return [tell(setting, on, 'StatusReported', { status: 'Work under way' })]
  return [tell(setting, on, 'StatusReported', { status: 'On schedule', means: 'onSchedule' })]
}

function reaffirmation(setting: Setting): Dated[] {
  return [tell(setting, setting.random.int(setting.from, setting.until), 'StatusReaffirmed', {})]
}

function assessment(setting: Setting): Dated[] {
  const { random, from, until } = setting
  const claimedBy = 'Audit office'
  const data = { assessor: claimedBy, scale: 'RAG', scaleVersion: '1', rating: random.pick(RATINGS) }
  return [tell(setting, random.int(from, until), 'AssessmentRecorded', data, { claimedBy })]
}

function suspension(setting: Setting): Dated[] {
  const { random, from, until } = setting
  const middle = Math.floor((from + until) / 2)
  const reason = random.pick(SUSPENSIONS)
  return [
    tell(setting, random.int(from, middle), 'CommitmentSuspended', { reason }),
    tell(setting, random.int(middle + 1, until), 'CommitmentResumed', { reason: 'What was waited for has come' }),
  ]
}

/** Only of what lies ahead: the others are to stand as delivered or as not delivered at all. */
function partialClaim(setting: Setting): Dated[] {
  const { random, from, until, outcome } = setting
  return outcome === 'ahead' ? [tell(setting, random.int(from, until), 'DeliveryReported', { partial: true })] : []
}

function inOrder(a: Day, b: Day): [Day, Day] {
  return a < b ? [a, b] : [b, a]
}
