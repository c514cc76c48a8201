// A log of any size without holding it in memory: every commitment of one block of a made-up log, many times over under
// other names, side by side, so that the streams grow together as those of a living register do.

import { REGISTER_STREAM } from '../../src/domain/event.ts'
import type { Loading } from './scale-load.ts'
import { type Entry, type ScaleLog, scaleLog } from './scale-log.ts'

export type GrownLog = Loading & {
  /** The name of a commitment that facts can be recorded about, by two numbers as large as one likes. */
  commitment: (which: number, copy: number) => string
}

/** How many digits at the end of an id tell the copies apart. */
const COPY_DIGITS = 3
const MAX_COPIES = 16 ** COPY_DIGITS

/** A log of exactly `size` events, the same for a size: `block` of them, or as many as there are, and their copies. */
export function grownLog(register: string, size: number, block: number): GrownLog {
  const log = scaleLog(register, Math.min(size, block), 1)
  const copied = log.entries.length - log.ownRevision
  const copies = Math.ceil((size - log.ownRevision) / copied)
  if (copies > MAX_COPIES) throw new Error(`a log of ${size} events is more than ${MAX_COPIES} blocks of ${block}`)
  const sound = soundCommitments(log)
  return {
    register,
    size,
    ownRevision: log.ownRevision,
    lastAt: log.entries.at(-1)?.at ?? 0,
    entries: grown(log, copies, size - log.ownRevision - (copies - 1) * copied),
    // The last copy may lack commitments that were made late.
    commitment: (which, copy) => nameOf(sound[which % sound.length] ?? '', copy % Math.max(1, copies - 1)),
  }
}

/** The commitments of which nothing was retracted: of the others, some are not made any more. */
function soundCommitments({ entries }: ScaleLog): string[] {
  const streams = new Set(entries.map(({ stream }) => stream))
  streams.delete(REGISTER_STREAM)
  for (const { type, stream } of entries) if (type === 'EventRetracted') streams.delete(stream)
  return [...streams]
}

/** Every entry as often as there are copies; of the last copy, only the first `ofLast` entries. */
function* grown({ entries }: ScaleLog, copies: number, ofLast: number): Generator<Entry> {
  let told = 0
  for (const entry of entries) {
    if (entry.stream === REGISTER_STREAM) {
      yield entry
      continue
    }
    const count = told < ofLast ? copies : copies - 1
    for (let copy = 0; copy < count; copy += 1) yield copyOf(entry, copy)
    told += 1
  }
}

function nameOf(stream: string, copy: number): string {
  return copy === 0 ? stream : `${stream}-${copy}`
}

function idOf(id: string, copy: number): string {
  return `${id.slice(0, -COPY_DIGITS)}${copy.toString(16).padStart(COPY_DIGITS, '0')}`
}

function copyOf(entry: Entry, copy: number): Entry {
  const { id, stream, data } = entry
  // A repair names the event of its own copy.
  const own = data.replace(/"event":"([0-9a-f-]{36})"/, (_, target: string) => `"event":"${idOf(target, copy)}"`)
  return { ...entry, id: idOf(id, copy), stream: nameOf(stream, copy), data: own }
}
