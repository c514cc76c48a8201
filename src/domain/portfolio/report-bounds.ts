// The bounds that reports of one programme and day allow together: stated as bounds, with what they assume. What a metric
// means is never guessed from its words: `figure` says it, or the bound states it as its assumption.

import { z } from 'zod'
import { percentage } from '../../kernel/decimal.ts'
import type { Report, Scope } from './report.ts'

const nullable = z.number().nullable()

export const boundAnswer = z
  .strictObject({
    figure: z.enum(['due', 'missed']).meta({ description: 'The figure that the bound is about' }),
    bound: z.enum(['atLeast', 'atMost']).meta({ description: 'Whether the figure is at least or at most so much' }),
    count: z.int().meta({ description: 'The number of commitments at the bound' }),
    of: nullable.meta({ description: 'The number of commitments that `count` is a part of; null: not reported' }),
    percent: nullable.meta({
      description: 'With one decimal, rounded to the safe side: atLeast down, atMost up; null without a whole',
    }),
    detail: z.string().meta({ description: 'The bound, as a sentence' }),
    assumption: z
      .string()
      .meta({ description: 'The condition under which the bound holds; metrics are quoted verbatim' }),
    reading: z.enum(['named', 'assumed']).meta({
      description: 'assumed: the report names no figure, and the bound holds only if the assumption does',
    }),
    events: z.array(z.int()).meta({ description: 'Positions of the reports behind it' }),
  })
  .meta({ id: 'Bound', description: 'A bound that follows from the reports of one programme and day together' })
type Bound = z.output<typeof boundAnswer>

function isLate({ data }: Report): boolean {
  return data.figure === 'late' || data.figure === 'lateAgainstOriginal'
}

function isCount({ data }: Report): boolean {
  return Number.isSafeInteger(data.value) && data.value >= 0 && !data.approximate
}

/** The delivered of a programme and day; null where none are reported, or different ones. */
function deliveredAmong(peers: readonly Report[]): Report | null {
  const [first, ...others] = peers.filter((peer) => peer.data.figure === 'delivered' && isCount(peer))
  if (!first) return null
  return others.every(({ data }) => data.value === first.data.value && data.of === first.data.of) ? first : null
}

/**
 * Whether a report can be read as the count of those behind schedule. A report that names its figure says so itself. A
 * report that names none is read so on two conditions. No other report names such a figure, and it counts a part of
 * the same whole as the delivered. The bound then holds under an assumption, which it states.
 */
function readingOf(report: Report, peers: readonly Report[], whole: number | null): Bound['reading'] | null {
  const { figure, of } = report.data
  if (!isCount(report)) return null
  if (isLate(report)) return of === undefined || whole === null || of === whole ? 'named' : null
  if (figure !== undefined || peers.some(isLate)) return null
  return of !== undefined && of === whole ? 'assumed' : null
}

function assumption(behind: Report, delivered: Report, whole: number | null, scope: Scope | null): string {
  const unit = scope?.value === whole ? ` ${scope?.unit}` : ''
  const those = whole === null ? 'those' : `those of the ${whole}${unit}`
  return (
    `if the ${behind.data.value} "${behind.data.metric}" are exactly ${those} that are past their due day and not delivered, ` +
    `the ${delivered.data.value} "${delivered.data.metric}" are those delivered, and no others were due`
  )
}

/** A percentage with one decimal, rounded down or up. `of` is positive. */
function safePercent(count: number, of: number, bound: Bound['bound']): number {
  const { numerator, denominator } = percentage(count, of)
  const tenths = (numerator * 10n + (bound === 'atMost' ? denominator - 1n : 0n)) / denominator
  return Number(tenths) / 10
}

type Ground = Pick<Bound, 'assumption' | 'reading' | 'events'>

/** All that was due is delivered or behind. */
function dueAtMost(count: number, of: number | null, ground: Ground): Bound {
  const percent = of === null || of === 0 ? null : safePercent(count, of, 'atMost')
  const detail = `at most ${count}${of === null ? '' : ` of ${of}`} can have been due`
  return { figure: 'due', bound: 'atMost', count, of, percent, detail, ...ground }
}

/** The share of those behind is least where all that is delivered was due too. `of` is positive. */
function missedAtLeast(count: number, of: number, ground: Ground): Bound {
  const percent = safePercent(count, of, 'atLeast')
  const detail = `at least ${percent.toFixed(1)} % (${count} of ${of}) of what was due is missed`
  return { figure: 'missed', bound: 'atLeast', count, of, percent, detail, ...ground }
}

/**
 * The bounds that follow from a report of L behind schedule and D delivered, of one programme and day. At most D + L
 * was due, and at least L / (D + L) of that is missed. None follow if the numbers are approximate, contradict each
 * other or exceed the whole. `scope` is the programme's reported scope on that day; null if it reports none.
 */
export function boundsOf(report: Report, peers: readonly Report[], scope: Scope | null): Bound[] {
  const delivered = deliveredAmong(peers)
  if (!delivered) return []
  const whole = delivered.data.of ?? scope?.value ?? null
  const reading = readingOf(report, peers, whole)
  const behind = report.data.value
  const due = delivered.data.value + behind
  if (reading === null || (whole !== null && due > whole)) return []
  const ground: Ground = {
    assumption: assumption(report, delivered, whole, scope),
    reading,
    events: [delivered.position, report.position].sort((a, b) => a - b),
  }
  return [dueAtMost(due, whole, ground), ...(due === 0 ? [] : [missedAtLeast(behind, due, ground)])]
}
