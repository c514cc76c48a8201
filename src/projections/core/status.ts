// Where every projection stands in every register, in words that tell apart what an operator would do something about.

import type { Queryable } from '../../database/pool.ts'
import { readEnvelopesAt } from '../../eventlog/events.ts'
import { type ProgressOfAll, progressOfAll } from './progress.ts'
import type { ProjectionVersion } from './versions.ts'

export const PROJECTION_STATUSES = [
  /** It has not read anything yet. */
  'notStarted',
  /** Its rows are being built anew, beside those in use. */
  'replaying',
  /** It is behind the log and was on its way a moment ago. */
  'progressing',
  /** It is behind the log and has not moved for a while, although there was something to read. */
  'stuck',
  /** An event that cannot be read has stopped it. */
  'stopped',
  /** It has read the whole log. */
  'caughtUp',
] as const

type ProjectionStatus = (typeof PROJECTION_STATUSES)[number]

export type ProjectionState = {
  projection: string
  register: string
  status: ProjectionStatus
  /** The version of the fold, and which build of its rows is read; null where there is none yet. */
  version: number
  generation: number | null
  /** How far it has read, as its readers are told; 0 where it has not begun. */
  size: number
  /** How far rows are built that nobody reads before they reach as far as those of another version; else null. */
  building: number | null
  /** Events that it has not read yet, and for how long the first of them has been there. */
  behindEvents: number
  behindSeconds: number
  /** The event that it cannot read; null where it goes on. */
  stopped: { position: number; id: string | null; type: string | null; reason: string } | null
}

/** A replay that is under way; of a projection and register. */
export type UnderWay = { projection: string; register: string }

/** How long a projection that has something to read may stand still. */
const STUCK_AFTER_SECONDS = 10

function statusOf(
  row: ProgressOfAll,
  behindEvents: number,
  behindSeconds: number,
  isReplaying: boolean,
): ProjectionStatus {
  if (row.stopped_at !== null) return 'stopped'
  if (isReplaying) return 'replaying'
  if (row.size === null) return 'notStarted'
  if (behindEvents === 0) return 'caughtUp'
  // What has just been recorded was not there to be read before.
  return Math.min(row.still_seconds, behindSeconds) < STUCK_AFTER_SECONDS ? 'progressing' : 'stuck'
}

/**
 * Where every projection stands in every register, projection by projection. `now` is in milliseconds; `underWay` are the
 * replays that somebody is at.
 */
export async function projectionStates(
  db: Queryable,
  projections: readonly ProjectionVersion[],
  { now, underWay = [] }: { now: number; underWay?: readonly UnderWay[] },
): Promise<ProjectionState[]> {
  const rows = await progressOfAll(db, projections)
  const reached = (row: ProgressOfAll) => row.building ?? row.size ?? 0
  const wanted = rows.flatMap((row) => {
    const unread = reached(row) < row.total ? [{ register: row.register, position: reached(row) }] : []
    const stop = row.stopped_at === null ? [] : [{ register: row.register, position: row.stopped_at }]
    return [...unread, ...stop]
  })
  const events = new Map(
    (await readEnvelopesAt(db, wanted)).map((event) => [`${event.register} ${event.position}`, event]),
  )
  const eventOf = ({ register }: ProgressOfAll, position: number) => events.get(`${register} ${position}`)
  return rows.map((row) => {
    const behindEvents = Math.max(0, row.total - reached(row))
    const since = behindEvents === 0 ? now : (eventOf(row, reached(row))?.recordedAt ?? now)
    const behindSeconds = Math.max(0, Math.floor((now - since) / 1_000))
    const isReplaying = underWay.some((one) => one.projection === row.projection && one.register === row.register)
    const stop = row.stopped_at === null ? null : eventOf(row, row.stopped_at)
    return {
      projection: row.projection,
      register: row.register,
      status: statusOf(row, behindEvents, behindSeconds, isReplaying),
      version: row.version,
      generation: row.generation,
      size: row.size ?? 0,
      building: row.building,
      behindEvents,
      behindSeconds,
      stopped:
        row.stopped_at === null
          ? null
          : {
              position: row.stopped_at,
              id: stop?.id ?? null,
              type: stop?.type ?? null,
              reason: row.stopped_because ?? '',
            },
    }
  })
}

/**
 * Whether a projection has no rows to answer from: it has not begun with events that have been there for a while, or builds
 * rows of another version. One that is merely behind answers, and says how far it is; so does one that an event has stopped,
 * and what it cannot answer it cannot answer anywhere else.
 */
export function cannotAnswer({ status, size, building, behindSeconds }: ProjectionState): boolean {
  if (status === 'stopped') return false
  return building !== null || (size === 0 && behindSeconds >= STUCK_AFTER_SECONDS)
}

/** Which event has stopped a projection, in words; null where it goes on. */
export function stopOf({ projection, register, stopped }: ProjectionState): string | null {
  return stopped && `${projection} of ${register} has stopped: ${stopped.reason}`
}
