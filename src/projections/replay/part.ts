// One part of a register's streams, folded and written chunk by chunk. Each chunk is one transaction with the progress
// of the part. So a process that continues after a crash continues exactly there.

import type { SingleConnection } from '../../database/pool.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import type { EventToFold } from '../../domain/event.ts'
import type { Knowledge } from '../../domain/repairs.ts'
import { scanStreams } from '../../eventlog/streams.ts'
import { project } from '../commitments/project.ts'
import { COMMITMENT_COLUMNS } from '../commitments/table.ts'
import type { OnProgress } from '../core/projection.ts'
import type { ProjectionName } from '../core/versions.ts'
import { contentHash, numberMemberships } from '../periods/memberships.ts'
import { type TimelineVersion, timelineVersions } from '../periods/project.ts'
import { periodColumns } from '../periods/table.ts'
import { CopyRows, copyColumns } from './copy.ts'
import { movePart, type ReplayPart } from './progress.ts'
import { type RateLimiter, settle, shareOf, spend } from './rate-limiter.ts'

/** What is read of a register, and where its rows go. */
export type PartWork = {
  operation: string
  register: string
  generation: number
  /** The log below this size is read. */
  size: number
  /** The register's time zones by the size from which each is known. */
  zones: readonly Knowledge[]
  projections: readonly ProjectionName[]
  /** How fast events may be read; null for as fast as can be. */
  limiter: RateLimiter | null
  /** About how many events are folded and written in one transaction. */
  chunkEvents: number
}

/** The first chunks are small: how far it is, and how fast, is seen from the beginning. */
const FIRST_CHUNK_EVENTS = 500

/** The numbers of memberships, by their content, as far as this worker has met them. */
class Numbers {
  readonly #register: string
  readonly #byContent = new Map<string, number>()
  /** Those of the stream in hand, whose periods share them. */
  #known = new Map<Membership, number>()
  /** By content, too. */
  #fresh = new Map<string, Membership>()

  constructor(register: string) {
    this.#register = register
  }

  /** Finds the numbers of all memberships of a stream; false where one has none yet, which `learn` then gives it. */
  find(versions: readonly TimelineVersion[]): boolean {
    this.#known = new Map()
    let isKnown = true
    for (const { before, periods } of versions) {
      for (const { membership } of before) if (!this.#findOne(membership)) isKnown = false
      for (const { membership } of periods) if (!this.#findOne(membership)) isKnown = false
    }
    return isKnown
  }

  #findOne(membership: Membership): boolean {
    if (this.#known.has(membership)) return true
    const content = contentOf(membership)
    const number = this.#byContent.get(content)
    if (number === undefined) this.#fresh.set(content, membership)
    else this.#known.set(membership, number)
    return number !== undefined
  }

  /** Gives numbers to all that had none. */
  async learn({ db }: SingleConnection): Promise<void> {
    if (this.#fresh.size === 0) return
    const byHash = new Map([...this.#fresh.values()].map((membership) => [contentHash(membership), membership]))
    const numbers = await db.transaction().execute((tx) => numberMemberships(tx, this.#register, byHash))
    for (const [hash, membership] of byHash) {
      // Safe: every membership that was given has been numbered.
      this.#byContent.set(contentOf(membership), numbers.get(hash) as number)
    }
    this.#fresh = new Map()
  }

  /** The number of a period of the stream that was found last. */
  of = ({ membership }: Period): number => this.#known.get(membership) as number
}

/** One text for what a membership says: no id or theme holds a NUL character. */
function contentOf({ programme, themes, parties }: Membership): string {
  return `${programme ?? ''}\0${themes.join('\0')}\0\0${parties.join('\0')}`
}

/** Folds parts of one register over one connection. */
export class PartFolder {
  readonly #connection: SingleConnection
  readonly work: PartWork
  readonly #numbers: Numbers
  readonly #commitments
  readonly #periods
  #chunkEvents: number

  constructor(connection: SingleConnection, work: PartWork) {
    this.#connection = connection
    this.work = work
    this.#numbers = new Numbers(work.register)
    this.#chunkEvents = Math.min(FIRST_CHUNK_EVENTS, work.chunkEvents)
    this.#commitments = new CopyRows(copyColumns(work, COMMITMENT_COLUMNS))
    this.#periods = new CopyRows(copyColumns(work, periodColumns(this.#numbers.of)))
  }

  /** Folds a part from where it stands to its end, or until it is stopped; `onProgress` is called with each chunk that is committed. */
  async run(part: ReplayPart, isStopped: () => boolean, onProgress: OnProgress): Promise<void> {
    const { limiter, register, size } = this.work
    for (let done = part.done; !isStopped(); ) {
      const limit = this.#nextLimit()
      if (limiter) await spend(limiter, limit, isStopped)
      if (isStopped()) return
      const events = await scanStreams(this.#connection.db, { register, after: done, upTo: part.upTo, size, limit })
      if (limiter) settle(limiter, events.length - limit)
      const last = events.at(-1)?.stream ?? null
      await this.#fold(events)
      await this.#write({ ...part, done }, last, events.length)
      onProgress(events.length)
      if (last === null) return
      done = last
    }
  }

  #nextLimit(): number {
    const { limiter, chunkEvents } = this.work
    const limit = this.#chunkEvents
    this.#chunkEvents = Math.min(2 * limit, chunkEvents)
    return limiter ? shareOf(limiter, limit) : limit
  }

  async #fold(events: readonly EventToFold[]): Promise<void> {
    const { size, zones, projections } = this.work
    const timeZone = zones.at(-1)?.timeZone as string
    const [ofCommitments, ofPeriods] = [projections.includes('commitments'), projections.includes('periods')]
    const waiting: TimelineVersion[][] = []
    for (const stream of streamsOf(events)) {
      // Safe: a stream has an event.
      const id = stream[0]?.stream as string
      const row = ofCommitments ? project(id, stream, { size, timeZone }) : null
      if (row) this.#commitments.add(row)
      const versions = ofPeriods ? timelineVersions(id, stream, { from: 0, size, zones }) : []
      // Into bytes at once, so that little is left to the collector; few meet a membership that has no number.
      if (this.#numbers.find(versions)) this.#addPeriods(versions)
      else waiting.push(versions)
    }
    await this.#numbers.learn(this.#connection)
    for (const versions of waiting) {
      this.#numbers.find(versions)
      this.#addPeriods(versions)
    }
  }

  #addPeriods(versions: readonly TimelineVersion[]): void {
    for (const version of versions) this.#periods.add(version)
  }

  /** The rows and how far the part has come, together or not at all. */
  async #write(part: ReplayPart, last: string | null, events: number): Promise<void> {
    const { client, db } = this.#connection
    const { generation } = this.work
    await db.transaction().execute(async (tx) => {
      // Lost at a crash of the server together with the progress, so there is nothing to wait for.
      await client.query('set local synchronous_commit = off')
      await movePart(tx, this.work, part, last, events)
      await this.#commitments.flush(client, `commitment_g${generation}`)
      await this.#periods.flush(client, `period_g${generation}`)
    })
  }
}

/** The events of each stream, which come one stream after the other. */
function* streamsOf(events: readonly EventToFold[]): Generator<EventToFold[]> {
  let first = 0
  for (let at = 1; at <= events.length; at += 1) {
    if (events[at]?.stream === events[first]?.stream) continue
    yield events.slice(first, at)
    first = at
  }
}
