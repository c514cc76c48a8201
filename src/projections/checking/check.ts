// Compares projections with a fold of the log. It writes nothing and keeps almost nothing in memory. So a role that
// may only read a database can tell whether its answers follow from its log.

import { createHash, hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { type KnownRegister, stateKnownAt } from '../../registers/registers.ts'
import { timeZonesUpTo } from '../../registers/time-zones.ts'
import { canonicalCommitments, canonicalCommitmentsAt } from '../commitments/canonical.ts'
import { otherVersions, type ProjectionProgress, progressOf } from '../core/progress.ts'
import { type OnProgress, TABLES } from '../core/projection.ts'
import { current, type ProjectionName, VERSIONS } from '../core/versions.ts'
import { canonicalPeriods, canonicalPeriodsAt } from '../periods/canonical.ts'
import { addedByRows, addedLines } from '../tallies/canonical.ts'
import { sumsOfEpoch } from '../tallies/projection.ts'
import { EPOCH } from '../tallies/rollup.ts'

export type ProjectionCheck =
  /** Nothing of it can be checked: in words why. */
  | { kind: 'unchecked'; why: string }
  /** Its rows are what the log below this size comes to; their digest is that of `pledger digest`. */
  | { kind: 'holds'; size: number; sha256: string }
  | { kind: 'differs'; size: number; why: string }

const ANEW = 'the service builds it anew before it answers from it'

/** Whether there are rows of a projection that nobody is building. */
async function hasStrayRows(db: Queryable, register: string, projection: ProjectionName): Promise<boolean> {
  const { rows } = await sql`select from ${sql.table(TABLES[projection])} where register = ${register}
    and generation not in (select generation from operation where state = 'running') limit 1`.execute(db)
  return rows.length > 0
}

/**
 * Where nothing is known of the version that this code checks: rows that other versions left are built anew before anything is
 * answered from them. Rows that nothing speaks of would stay, and be answered from.
 */
async function uncheckedOrStray(
  db: Queryable,
  register: string,
  projection: ProjectionName,
  live: ProjectionProgress | undefined,
): Promise<ProjectionCheck> {
  const others = await otherVersions(db, register, current(projection))
  if (others.length === 0 && (live?.building ?? null) === null && (await hasStrayRows(db, register, projection)))
    return { kind: 'differs', size: 0, why: 'it has rows, and nothing says from which of the log they come' }
  if (others.length === 0) return { kind: 'unchecked', why: `nothing of it was built yet; ${ANEW}` }
  const versions = others.map(({ version }) => version).join(', ')
  const why = `it was built by version ${versions} of its rules, and version ${VERSIONS[projection]} is what is checked here; ${ANEW}`
  return { kind: 'unchecked', why }
}

/**
 * Holds the live rows of a projection against the log, in a transaction that sees one moment (repeatable read). `tallies` are
 * held against the rows of `periods`, which they sum up, so those have to be checked as well.
 */
export async function checkProjection(
  tx: Queryable,
  known: KnownRegister,
  projection: ProjectionName,
  { epoch = EPOCH, onProgress }: { epoch?: number; onProgress?: OnProgress | undefined } = {},
): Promise<ProjectionCheck> {
  const { register } = known
  const live = await progressOf(tx, register, current(projection))
  if (!live || live.size === 0) return uncheckedOrStray(tx, register, projection, live)
  const { size } = live
  try {
    if (projection === 'tallies') return await checkTallies(tx, register, live, epoch, onProgress)
    const why = await beyond(tx, register, projection, live)
    return why === null ? await checkRows(tx, known, projection, live, onProgress) : { kind: 'differs', size, why }
  } catch (error) {
    // What is packed in rows may be anything.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    return { kind: 'differs', size, why: `a row of it cannot be read: ${error.message}` }
  }
}

/** Says where rows are known from a size that has not been read: answers would take them in later. */
async function beyond(
  tx: Queryable,
  register: string,
  projection: ProjectionName,
  { size, generation, building }: ProjectionProgress,
): Promise<string | null> {
  if (projection !== 'periods' || building !== null) return null
  const row = await tx
    .selectFrom('period')
    .select('id')
    .where('register', '=', register)
    .where('generation', '=', generation)
    .where('known_from', '>', size)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row ? `it has a row of ${row.id} that is known from a size beyond` : null
}

async function checkRows(
  tx: Queryable,
  known: KnownRegister,
  projection: Exclude<ProjectionName, 'tallies'>,
  { size, generation }: ProjectionProgress,
  onProgress: OnProgress | undefined,
): Promise<ProjectionCheck> {
  const { register } = known
  const place = { register, generation }
  const { timeZone } = stateKnownAt(known, size)
  const zones = timeZonesUpTo(known, size)
  const [stored, folded] =
    projection === 'commitments'
      ? [canonicalCommitments(tx, place), canonicalCommitmentsAt(tx, register, { size, timeZone }, onProgress)]
      : [canonicalPeriods(tx, place, size), canonicalPeriodsAt(tx, register, { size, zones, onProgress })]
  const found = await firstDifference(eachOf(stored), eachOf(folded))
  return { size, ...found }
}

async function* eachOf(pages: AsyncGenerator<string[]>): AsyncGenerator<string> {
  for await (const page of pages) yield* page
}

type Found = { kind: 'holds'; sha256: string } | { kind: 'differs'; why: string }

async function firstDifference(stored: AsyncGenerator<string>, folded: AsyncGenerator<string>): Promise<Found> {
  const digest = createHash('sha256')
  for (;;) {
    // One after the other: they are read over one connection.
    const { value: is, done: isAtEnd } = await stored.next()
    const { value: wanted } = await folded.next()
    if (isAtEnd && wanted === undefined) return { kind: 'holds', sha256: digest.digest('hex') }
    if (is !== wanted) return { kind: 'differs', why: differenceOf(is ?? null, wanted ?? null) }
    digest.update(`${is}\n`)
  }
}

/** Which row it is that differs; both come in order of id and, of periods, of the size from which they are known. */
function differenceOf(is: string | null, wanted: string | null): string {
  // Safe: lines are objects with these.
  const [own, log] = [is, wanted].map((line) => line && (JSON.parse(line) as { id: string; knownFrom?: number }))
  const nameOf = ({ id, knownFrom }: { id: string; knownFrom?: number }) =>
    knownFrom === undefined ? id : `${id}, known from size ${knownFrom}`
  const isBefore = (a: { id: string; knownFrom?: number }, b: { id: string; knownFrom?: number }) =>
    a.id === b.id ? (a.knownFrom ?? 0) < (b.knownFrom ?? 0) : a.id < b.id
  if (own && (!log || isBefore(own, log))) return `it has a row of ${nameOf(own)}, which does not follow from the log`
  if (log && (!own || isBefore(log, own))) return `it has no row of ${nameOf(log)}`
  return `its row of ${own ? nameOf(own) : ''} differs from the log`
}

/**
 * What lines come to together, in whatever order they come: the sum of their hashes. Rows are read place by place and summed up
 * epoch by epoch, and to keep either of them to compare would take as much memory as there are rows.
 */
class LineSum {
  #sum = 0n

  add(line: string): void {
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${hash('sha256', line, 'hex')}`))
  }

  equals(other: LineSum): boolean {
    return this.#sum === other.#sum
  }
}

async function checkTallies(
  tx: Queryable,
  register: string,
  { size, generation }: ProjectionProgress,
  epoch: number,
  onProgress: OnProgress | undefined,
): Promise<ProjectionCheck> {
  const epochs = Math.floor(size / epoch)
  const differs = (why: string): ProjectionCheck => ({ kind: 'differs', size, why })
  if (await hasEpochsFrom(tx, { register, generation }, epochs))
    return differs(`it has sums of events from position ${epochs * epoch} on, which have not been summed up`)
  if (epochs === 0) return { kind: 'unchecked', why: `it sums up every ${epoch} events, and there were fewer` }
  const periods = await progressOf(tx, register, current('periods'))
  if (!periods || periods.size < epochs * epoch)
    return { kind: 'unchecked', why: 'not compared with the log: periods, which it sums up, is behind it' }
  const digest = createHash('sha256')
  const stored = Array.from({ length: epochs }, () => new LineSum())
  for await (const some of addedByRows(tx, { register, generation }, epochs)) {
    for (const { epoch: number, line, isBased } of some) {
      if (!isBased || number < 0) return differs(`a row of its epoch ${number} adds to a sum that is not there`)
      if (line === null) continue
      digest.update(`${line}\n`)
      stored[number]?.add(line)
    }
  }
  for (const [number, sum] of stored.entries()) {
    const followed = { register, generation: periods.generation }
    const summed = new LineSum()
    for (const line of addedLines(number, await sumsOfEpoch(tx, followed, (number + 1) * epoch, epoch)))
      summed.add(line)
    onProgress?.(epoch)
    const where = `positions ${number * epoch} to ${(number + 1) * epoch - 1}`
    if (!summed.equals(sum)) return differs(`its sums of ${where} differ from the log`)
  }
  return { kind: 'holds', size: epochs * epoch, sha256: digest.digest('hex') }
}

async function hasEpochsFrom(
  tx: Queryable,
  { register, generation }: { register: string; generation: number },
  epochs: number,
): Promise<boolean> {
  const row = await tx
    .selectFrom('tally')
    .select('epoch')
    .where('register', '=', register)
    .where('generation', '=', generation)
    .where((eb) => eb.or([eb('epoch', '>=', epochs), eb('epoch', '<', 0)]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
