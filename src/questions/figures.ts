// The figures of some programmes, or of the whole register where none is named: what the questions about figures share.

import type { Queryable } from '../database/pool.ts'
import type { Membership } from '../domain/commitment/timeline.ts'
import { type FigureInputs, figureInputs } from '../domain/portfolio/figure-inputs.ts'
import { type SummaryFigures, summariseInputs } from '../domain/portfolio/summary.ts'
import { Tally } from '../domain/portfolio/tally.ts'
import { definedAt, redactedInRegister } from '../domain/register/state.ts'
import type { Day } from '../kernel/plain-date.ts'
import { buildOf } from '../projections/core/live.ts'
import { periods } from '../projections/periods/projection.ts'
import { type InputsQuestion, readFigureInputs, type TallySelection } from '../projections/tallies/newest.ts'
import { type TallyPart, WHOLE } from '../projections/tallies/parts.ts'
import { tallies } from '../projections/tallies/projection.ts'
import type { Clocks } from './clocks.ts'
import { listLinkOf } from './list-link.ts'
import { redactedOfCommitments, redactedPromises } from './redacted.ts'
import type { QuestionContext } from './register.ts'

/** Of both folds that figures are read from. */
export const TALLY_VERSION = `${periods.version}.${tallies.version}`

/** The definitions that scopes and the titles of groups come from. */
const NAMING = ['parties', 'programmes'] as const

/** What nothing comes to. */
export const NONE = figureInputs(new Tally())

/** The scope that one programme reports, as of the day; null where it is none or several. */
export function reportedScope({ state, asOf }: Clocks, programmes: readonly string[]): number | null {
  const [programme, ...others] = programmes
  if (programme === undefined || others.length > 0) return null
  return definedAt(state.programmes.get(programme), asOf)?.data.scope?.value ?? null
}

/** What is asked of what the newest knowledge comes to; of earlier knowledge nothing is kept. */
export function questionOf({ register, size, asOf, basis: { head } }: Clocks, of: TallySelection): InputsQuestion {
  const newest = head.projections.get('periods')
  return { register, size, asOf, of, build: newest?.size === size ? buildOf(newest.generation, head.redactions) : null }
}

/** The parts that some programmes are, or the whole register where none is named. Programmes have nothing in common. */
export function partsOfProgrammes(programmes: readonly string[]): TallyPart[] {
  return programmes.length === 0 ? [WHOLE] : [...new Set(programmes)].map((part) => ({ partOf: 'programme', part }))
}

/** What some programmes come to, or the whole register. */
export async function inputsOfProgrammes(
  db: Queryable,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<FigureInputs> {
  const [sum] = await readFigureInputs(db, questionOf(clocks, { sumOf: partsOfProgrammes(programmes) }))
  return sum?.inputs ?? NONE
}

/** The register's own figures at the clocks, over all its commitments or those of some programmes. */
export async function summaryFiguresAt(
  { db }: QuestionContext,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<SummaryFigures> {
  const inputs = await inputsOfProgrammes(db, clocks, programmes)
  const promises = programmes.length === 0 ? await redactedPromises(db, clocks) : () => 0
  return figuresOf(clocks, programmes, inputs, promises)
}

/**
 * The figures of what some programmes come to at the clocks, with the links of these programmes. Of what programme a redacted
 * promise was nobody can tell: only the figures of a whole register count them.
 */
export function figuresOf(
  clocks: Clocks,
  programmes: readonly string[],
  inputs: FigureInputs,
  promises: (asOf: Day) => number,
): SummaryFigures {
  const redacted = programmes.length === 0 ? promises(clocks.asOf) : 0
  const link = listLinkOf(clocks, programmes)
  return summariseInputs(inputs, clocks.asOf, reportedScope(clocks, programmes), link, redacted)
}

/** The redacted positions that the figures of some programmes may lack, as known at the clocks, whatever the day. */
export async function redactedOfProgrammes(
  { db }: QuestionContext,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<number[]> {
  const isAmong = ({ programme }: Membership) => programmes.includes(programme ?? '')
  const ofCommitments = await redactedOfCommitments(db, clocks, programmes.length === 0 ? null : isAmong)
  return [...redactedInRegister(clocks.state, NAMING), ...ofCommitments]
}
