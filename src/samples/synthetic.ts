// A made-up portfolio of any size, for tests, benchmarks and demonstrations; its title says that it is made up. It depends
// on its options alone: no clock, and the same events on every machine.

import { REGISTER_STREAM } from '../domain/event.ts'
import { type Day, dayOf, formatDay, parseDay } from '../kernel/plain-date.ts'
import { type Random, randomFrom } from './random.ts'
import { type SampleEvent, type SampleFact, sampleFact, withId } from './sample-event.ts'
import { syntheticCommitment } from './synthetic-commitment.ts'
import { HISTORY_DAYS, type PlannedOutcome } from './synthetic-schedule.ts'
import { PARTIES, PROGRAMMES, SOURCES } from './synthetic-words.ts'

export type SyntheticOptions = {
  commitments: number
  /** Of these, so many are delivered at `asOf`, with every due day behind them. */
  delivered: number
  /** And so many are past their current due day; the rest is due after 2035. */
  late: number
  seed: number
  /** YYYY-MM-DD: the status date; nothing happens after it. */
  asOf: string
}

/** What is wrong with the options, in one line; null where they can be met. */
export function checkSynthetic(options: SyntheticOptions): string | null {
  for (const name of ['commitments', 'delivered', 'late', 'seed'] as const) {
    const value = options[name]
    if (!Number.isSafeInteger(value) || value < 0) return `${name} is ${value}; expected a whole number from 0`
  }
  const { commitments, delivered, late, asOf } = options
  if (delivered + late > commitments) {
    return `${delivered} delivered and ${late} late are more than ${commitments} commitments`
  }
  if (parseDay(asOf) === null) return `asOf is ${JSON.stringify(asOf)}; expected an existing day, YYYY-MM-DD`
  const year = Number(asOf.slice(0, 4))
  return year < 1990 || year > 2034 ? `asOf is ${asOf}; expected a day of the years 1990 to 2034` : null
}

/**
 * The events of the synthetic register, one by one: it never holds more than those of one commitment. Equal options give
 * equal events with equal ids. At `asOf`, and from then to 2035, exactly `delivered` are delivered and `late` are late.
 * Throws where `checkSynthetic` complains.
 */
export function* syntheticEvents(options: SyntheticOptions): Generator<SampleEvent> {
  const complaint = checkSynthetic(options)
  if (complaint) throw new RangeError(complaint)
  const name = nameOf(options)
  let index = 0
  for (const fact of syntheticFacts(options, randomFrom(name))) yield withId(`${name} ${index++}`, fact)
}

// All options: another status date makes other events, which must not have the same ids.
function nameOf({ commitments, delivered, late, seed, asOf }: SyntheticOptions): string {
  return `synthetic ${commitments} ${delivered} ${late} ${seed} ${asOf}`
}

function* syntheticFacts(options: SyntheticOptions, random: Random): Generator<SampleFact> {
  const asOf = dayOf(options.asOf)
  yield* registerFacts(options, asOf)
  const width = Math.max(4, String(options.commitments).length)
  let number = 0
  for (const outcome of outcomes(options, random)) {
    number += 1
    const stream = `measure-${String(number).padStart(width, '0')}`
    yield* syntheticCommitment(random, { stream, number, outcome, asOf })
  }
}

/** Exactly as many of each outcome as asked for, in a random order, without a list of them (Knuth's algorithm S). */
function* outcomes({ commitments, delivered, late }: SyntheticOptions, random: Random): Generator<PlannedOutcome> {
  let deliveredLeft = delivered
  let lateLeft = late
  for (let left = commitments; left > 0; left -= 1) {
    const draw = random.int(1, left)
    if (draw <= deliveredLeft) {
      deliveredLeft -= 1
      yield 'delivered'
    } else if (draw <= deliveredLeft + lateLeft) {
      lateLeft -= 1
      yield 'late'
    } else yield 'ahead'
  }
}

/** The register, its last party by an event of its own, its sources, and its programmes cited from the first source. */
function registerFacts({ commitments, seed }: SyntheticOptions, asOf: Day): SampleFact[] {
  const on = formatDay(asOf - HISTORY_DAYS)
  const title = `Synthetic register of ${commitments} made-up commitments, generated from seed ${seed}`
  const parties = PARTIES.slice(0, 2)
  const added = PARTIES.slice(2)
  const cited = { source: SOURCES[0].source, claimedBy: SOURCES[0].publisher, claimedOn: on }
  // A little more than a programme's share, so that its coverage is not whole.
  const scope = { value: Math.ceil(commitments / 4), unit: 'measures' }
  return [
    sampleFact(REGISTER_STREAM, 'RegisterOpened', on, { title, parties, timeZone: 'UTC' }, []),
    ...SOURCES.map((source) =>
      sampleFact(REGISTER_STREAM, 'SourceAdded', on, { ...source, publishedOn: `${on}/..` }, []),
    ),
    ...added.map((party) => sampleFact(REGISTER_STREAM, 'PartyAdded', on, party, [cited])),
    ...PROGRAMMES.map(({ scoped, ...programme }) =>
      sampleFact(REGISTER_STREAM, 'ProgrammeDefined', on, { ...programme, ...(scoped && { scope }) }, [cited]),
    ),
  ]
}
