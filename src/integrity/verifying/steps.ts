// Checks that numbers count up by key (revisions by stream, each id once), in memory that does not grow with the log.
// Beyond a limit they go to files by a part of their key, and each file is checked by itself.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KEY_BYTES = 16
const RECORD_BYTES = 32
const BUCKETS = 64
const IN_MEMORY = 2 ** 17

/** A number of a key, found at a position; `kind` tells apart what has nothing to do with each other. */
export type Step = { kind: number; key: Buffer; number: number; position: number }

export type Steps = {
  add: (kind: number, key: Buffer, number: number, position: number) => void
  /** The steps in parts: all of one key in the same part, in the order in which they were added. */
  parts: () => Generator<Generator<Step>>
  /** Removes the files. */
  discard: () => void
}

function* read(bytes: Buffer): Generator<Step> {
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const key = bytes.subarray(at, at + KEY_BYTES)
    const [number, position] = [bytes.readUInt32LE(at + KEY_BYTES), bytes.readDoubleLE(at + KEY_BYTES + 8)]
    yield { kind: bytes.readUInt32LE(at + KEY_BYTES + 4), key, number, position }
  }
}

/** Gathers steps, so many of them in memory. Numbers are below 2^32. */
export function gatherSteps(inMemory: number = IN_MEMORY): Steps {
  const memory = Buffer.alloc(inMemory * RECORD_BYTES)
  let used = 0
  let directory: string | null = null
  const fileOf = (bucket: number) => join(directory ?? '', String(bucket))
  const spill = () => {
    directory ??= mkdtempSync(join(tmpdir(), 'pledger-verify-'))
    const buckets: Buffer[][] = Array.from({ length: BUCKETS }, () => [])
    for (let at = 0; at < used; at += RECORD_BYTES) {
      // The last byte: ids begin with their time.
      const bucket = (memory[at + KEY_BYTES - 1] as number) % BUCKETS
      buckets[bucket]?.push(memory.subarray(at, at + RECORD_BYTES))
    }
    for (const [bucket, records] of buckets.entries())
      if (records.length > 0) appendFileSync(fileOf(bucket), Buffer.concat(records))
    used = 0
  }
  return {
    add(kind, key, number, position) {
      if (used === memory.length) spill()
      key.copy(memory, used, 0, KEY_BYTES)
      memory.writeUInt32LE(number, used + KEY_BYTES)
      memory.writeUInt32LE(kind, used + KEY_BYTES + 4)
      memory.writeDoubleLE(position, used + KEY_BYTES + 8)
      used += RECORD_BYTES
    },
    *parts() {
      if (directory === null) {
        yield read(memory.subarray(0, used))
        return
      }
      spill()
      for (let bucket = 0; bucket < BUCKETS; bucket++)
        if (existsSync(fileOf(bucket))) yield read(readFileSync(fileOf(bucket)))
    },
    discard() {
      if (directory !== null) rmSync(directory, { recursive: true, force: true })
    },
  }
}
