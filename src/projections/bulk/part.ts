// One part of a register's streams, folded and written: chunk by chunk, each in one transaction with how far the part has
// come, so that whoever goes on after a crash goes on exactly there.

import { setTimeout as sleep } from 'node:timers/promises'
import type { SingleConnection } from '../../database/pool.ts'
import type { Membership, Stretch } from '../../domain/commitment/stretches.ts'
import type { StoredEvent } from '../../domain/event.ts'
import type { Knowledge } from '../../domain/repairs.ts'
import { scanStreams } from '../../eventlog/load.ts'
import { project } from '../commitments/project.ts'
import { timelineVersions } from '../periods/project.ts'
import { contentHash, numberMemberships } from '../periods/table.ts'
import { CopyRows } from './copy.ts'
import { movePart, type Part } from './progress.ts'
import { commitmentColumns, periodColumns } from './rows.ts'

/** What is read of a register, and where its rows go. */
export type Work = {
  operation: string
  register: string
  generation: number
  /** The log below this size is read. */
  size: number
  /** The register's time zones by the size from which each is known. */
  zones: readonly Knowledge[]
  projections: readonly string[]
  /** Events in a second at most; null for as many as can be. */
  maxRate: number | null
}

const CHUNK_EVENTS = 4_000
const SLEEP_MS = 200

/** Numbers of memberships, as far as this worker has met them: their content says which they are. */
class Numbers {
  readonly #register: string
  readonly #byHash = new Map<string, number>()
  #hashes = new Map<Membership, string>()

  constructor(register: string) {
    this.#register = register
  }

  /** Learns the numbers of all memberships of some stretches; those that are new are numbered at once. */
  async learn({ db }: SingleConnection, stretches: Iterable<Stretch>): Promise<void> {
    this.#hashes = new Map()
    const fresh = new Map<string, Membership>()
    for (const { membership } of stretches) {
      if (this.#hashes.has(membership)) continue
      const hash = contentHash(membership)
      this.#hashes.set(membership, hash)
      if (!this.#byHash.has(hash)) fresh.set(hash, membership)
    }
    if (fresh.size === 0) return
    const numbers = await db.transaction().execute((tx) => numberMemberships(tx, this.#register, fresh))
    for (const [hash, number] of numbers) this.#byHash.set(hash, number)
  }

  /** The number of a stretch that was learnt. */
  of = ({ membership }: Stretch): number => this.#byHash.get(this.#hashes.get(membership) as string) as number
}

/** Folds parts of one register over one connection. */
export class PartFolder {
  readonly #connection: SingleConnection
  readonly #work: Work
  readonly #numbers: Numbers
  readonly #commitments
  readonly #periods

  constructor(connection: SingleConnection, work: Work) {
    this.#connection = connection
    this.#work = work
    this.#numbers = new Numbers(work.register)
    this.#commitments = new CopyRows(commitmentColumns(work))
    this.#periods = new CopyRows(periodColumns(work, this.#numbers.of))
  }

  /** Folds a part from where it stands to its end, or until it is stopped; `told` hears of each chunk that is committed. */
  async run(part: Part, isStopped: () => boolean, told: (events: number) => void): Promise<void> {
    const { maxRate, register, size } = this.#work
    for (let done = part.done; !isStopped(); ) {
      const began = performance.now()
      const events = await scanStreams(this.#connection.db, {
        register,
        after: done,
        upTo: part.upTo,
        size,
        limit: CHUNK_EVENTS,
      })
      const last = events.at(-1)?.stream ?? null
      await this.#fold(events)
      await this.#write({ ...part, done }, last, events.length)
      told(events.length)
      if (last === null) return
      done = last
      if (maxRate !== null) await pause(began + (events.length * 1_000) / maxRate, isStopped)
    }
  }

  async #fold(events: readonly StoredEvent[]): Promise<void> {
    const { size, zones, projections } = this.#work
    const timeZone = zones.at(-1)?.timeZone as string
    const ofCommitments = projections.includes('commitments')
    const versions = []
    for (const [id, stream] of Map.groupBy(events, ({ stream }) => stream)) {
      const row = ofCommitments ? project(id, stream, { size, timeZone }) : null
      if (row) this.#commitments.add(row)
      if (projections.includes('periods')) versions.push(...timelineVersions(id, stream, { from: 0, size, zones }))
    }
    await this.#numbers.learn(
      this.#connection,
      versions.flatMap(({ before, stretches }) => [...before, ...stretches]),
    )
    for (const version of versions) this.#periods.add(version)
  }

  /** The rows and how far the part has come, together or not at all. */
  async #write(part: Part, last: string | null, events: number): Promise<void> {
    const { client, db } = this.#connection
    const { generation } = this.#work
    await db.transaction().execute(async (tx) => {
      // Lost at a crash of the server together with the progress, so there is nothing to wait for.
      await client.query('set local synchronous_commit = off')
      await movePart(tx, this.#work, part, last, events)
      await this.#commitments.flush(client, `commitment_g${generation}`)
      await this.#periods.flush(client, `period_g${generation}`)
    })
  }
}

async function pause(until: number, isStopped: () => boolean): Promise<void> {
  while (performance.now() < until && !isStopped()) {
    await sleep(Math.min(SLEEP_MS, Math.max(1, until - performance.now())))
  }
}
