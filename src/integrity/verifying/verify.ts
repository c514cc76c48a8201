// The checks of an event that anyone can make from bytes alone: its content against its hash, its envelope against its
// leaf, and a checkpoint against a key. It knows no database, no files and no network: callers bring the bytes.

import { hash } from 'node:crypto'
import { z } from 'zod'
import { isRepair } from '../../domain/repairs.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { decodeBase64 } from '../tlog/base64.ts'
import { type Checkpoint, parseCheckpoint } from '../tlog/checkpoint.ts'
import { HASH_BYTES } from '../tlog/merkle.ts'
import { openNote, parseNote, parseVkey, type Verifier } from '../tlog/note.ts'

/** What does not hold: where it is and what is wrong, in words. Thrown out of the depth of a check, told as its result. */
export class VerificationError extends Error {
  readonly where: string
  /** The first position that is concerned; null where it is not about an event. */
  readonly position: number | null

  constructor(where: string, why: string, position: number | null = null) {
    super(`${where}: ${why}`)
    this.where = where
    this.position = position
  }
}

/** A fault at a position. */
export function faultAt(position: number, why: string): VerificationError {
  return new VerificationError(`position ${position}`, why, position)
}

const SALT_BYTES = 32
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

// What stands in a leaf: nothing that JSON escapes, nor what a terminal would take for a line or a command.
const leafWord = z.string().regex(/^[!#-[\]-~]{1,200}$/, 'expected printable ASCII without space, quote and backslash')

// As answers and exports give it. The content may be anything: its hash says whether it is what was recorded.
const loggedEvent = z.strictObject({
  position: z.int().min(0),
  id: z.string().regex(ID),
  stream: leafWord,
  revision: z.int(),
  type: leafWord,
  typeVersion: z.int(),
  recordedAt: z.iso.datetime({ precision: 3 }),
  recordedBy: leafWord,
  occurredOn: z.string().nullable(),
  data: z.record(z.string(), z.unknown()).nullable(),
  citations: z.array(z.unknown()).nullable(),
  salt: z.string().nullable(),
  bodyHash: z.string(),
})

/** An event to be checked. */
export type LoggedEvent = z.output<typeof loggedEvent>

/** Whether a JSON value is meant to be an event, whatever is wrong with it. */
export function isMeantAsEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('bodyHash' in value || 'position' in value)
}

/** What is wrong with a value that is not of a shape, in words. A member that nobody knows is one that nothing proves. */
export function wordsOf({ issues: [issue] }: z.ZodError): string {
  const where = issue?.path.join('.') || 'it'
  if (issue?.code !== 'unrecognized_keys') return `${where}: ${issue?.message}`
  return `${where === 'it' ? where : `its ${where}`} has the member ${JSON.stringify(issue.keys[0])}, which nothing proves`
}

/** The event of a JSON value; else in words what is wrong with it, where it has a member that no event has, too. */
export function parseEvent(value: unknown): LoggedEvent | string {
  const parsed = loggedEvent.safeParse(value)
  return parsed.success ? parsed.data : wordsOf(parsed.error)
}

const LEAF_VERSION = 1

/** The leaf of an event: the RFC 8785 text of its envelope. */
export function leafText(register: string, event: LoggedEvent): string {
  // In the order of RFC 8785, which costs less than to sort. Strings without half a surrogate are written alike by both.
  const { bodyHash, id, position, recordedAt, recordedBy, revision, stream, type, typeVersion } = event
  const envelope = { bodyHash, id, position, recordedAt, recordedBy, register, revision, stream, type, typeVersion }
  return JSON.stringify({ ...envelope, v: LEAF_VERSION })
}

/**
 * What keeps a leaf from being that of an event: the first field that differs, or that it cannot be read; null where it
 * is.
 */
export function leafDifference(register: string, event: LoggedEvent, leaf: Buffer): string | null {
  if (leaf.equals(Buffer.from(leafText(register, event)))) return null
  let said: Record<string, unknown>
  try {
    // Safe: what is no object has none of the fields below.
    said = Object(JSON.parse(leaf.toString()))
  } catch {
    return 'its leaf is no JSON'
  }
  if (said.v !== LEAF_VERSION) return `its leaf is of version ${JSON.stringify(said.v)}, which is not known`
  for (const [name, value] of Object.entries({ ...event, register }))
    if (name in said && said[name] !== value)
      return `${name} is ${JSON.stringify(value)}, its leaf says ${JSON.stringify(said[name])}`
  return 'its leaf is not written as RFC 8785 has it'
}

/** Whether everything that redaction erases is gone: all content but the `event` that a repair points to. */
function isBlank({ type, occurredOn, data, citations }: LoggedEvent): boolean {
  if (occurredOn !== null || citations !== null) return false
  if (!isRepair(type)) return data === null
  return data === null || (Object.keys(data).length === 1 && typeof data.event === 'string')
}

/** What is wrong with the content of an event; `content` where it is what was recorded, `blank` where there is none. */
export function checkBody(event: LoggedEvent): 'content' | 'blank' | VerificationError {
  const { position, occurredOn, data, citations, salt, bodyHash } = event
  if (decodeBase64(bodyHash)?.length !== HASH_BYTES) return faultAt(position, 'bodyHash is not 32 bytes in base64')
  if (salt === null) return isBlank(event) ? 'blank' : faultAt(position, 'its salt is gone, and not all of its content')
  const salted = decodeBase64(salt)
  if (salted?.length !== SALT_BYTES) return faultAt(position, 'salt is not 32 bytes in base64')
  if (occurredOn === null || data === null || citations === null)
    return faultAt(position, 'a part of its content is gone, and not its salt')
  return bodyHashOf(salted, { occurredOn, data, citations }) === bodyHash
    ? 'content'
    : faultAt(position, 'occurredOn, data, citations and salt do not hash to its bodyHash')
}

function bodyHashOf(salt: Buffer, body: Record<string, unknown>): string | null {
  try {
    return hash('sha256', Buffer.concat([salt, Buffer.from(canonicalJson(body))]), 'base64')
  } catch {
    // What RFC 8785 cannot write was never hashed.
    return null
  }
}

/** A checkpoint that was believed, and the keys that signed it. */
export type Believed = Checkpoint & { by: Verifier[] }

/**
 * The checkpoint of a note, where one of the keys has signed it in the name of its origin; else in words why it is not
 * believed. A key of another log says nothing of this one.
 */
export function believeCheckpoint(note: string, keys: readonly Verifier[]): Believed | string {
  const unproved = parseNote(note)
  const stated = unproved && parseCheckpoint(unproved.text)
  if (!stated) return 'it is not a checkpoint (C2SP signed note)'
  const own = keys.filter(({ name }) => name === stated.origin)
  if (own.length === 0) {
    const names = [...new Set(keys.map(({ name }) => name))].join(', ') || 'nobody'
    return `it is of ${stated.origin}, and the keys at hand are of ${names}`
  }
  const opened = openNote(note, own)
  return opened ? { ...stated, by: opened.by } : 'its signature is not of the keys at hand'
}

/** Whether a note is the checkpoint of a log that none of the keys is of: nothing can be said of its signature. */
export function isOfOtherLog(note: string, keys: readonly Verifier[]): boolean {
  const stated = parseCheckpoint(parseNote(note)?.text ?? '')
  return stated !== null && !keys.some(({ name }) => name === stated.origin)
}

/** The register of an origin: its last part. */
export function registerOfOrigin(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1)
}

const keyList = z.object({ keys: z.array(z.object({ vkey: z.string() })).min(1) })

/** The keys of a text: the JSON of R/keys, or keys one a line; null where there are none or one is no key. */
export function parseKeys(text: string): Verifier[] | null {
  const keys = vkeysOf(text).map(parseVkey)
  const isWhole = (all: (Verifier | null)[]): all is Verifier[] => all.every((key) => key !== null)
  return keys.length > 0 && isWhole(keys) ? keys : null
}

function vkeysOf(text: string): string[] {
  if (!text.trimStart().startsWith('{')) {
    const lines = text.split('\n').map((line) => line.trim())
    return lines.filter((line) => line !== '' && !line.startsWith('#'))
  }
  try {
    return keyList.parse(JSON.parse(text)).keys.map(({ vkey }) => vkey)
  } catch {
    return []
  }
}

/** What a key is called in messages: its name and id. */
export function keyLabel({ name, id }: Verifier): string {
  return `${name}+${id.toString('hex')}`
}
