// An event and its proof, checked with a public key alone.

import { z } from 'zod'
import { isRepair } from '../../domain/repairs.ts'
import { exactJson, InexactJsonError } from '../../kernel/exact-json.ts'
import { decodeBase64 } from '../tlog/base64.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { HASH_BYTES, isIncluded, leafHash } from '../tlog/merkle.ts'
import { parseNote, type Verifier } from '../tlog/note.ts'
import {
  type Believed,
  believeCheckpoint,
  checkBody,
  isMeantAsEvent,
  keyLabel,
  type LoggedEvent,
  leafText,
  parseEvent,
  registerOfOrigin,
  VerificationError,
  wordsOf,
} from './verify.ts'

/** An inclusion proof as it is given out. `treeSize` and `leafHash` are null where it does not say them (C2SP tlog-proof). */
type Proof = {
  leafIndex: bigint
  treeSize: bigint | null
  leafHash: Buffer | null
  auditPath: Buffer[]
  checkpoint: string
  /** Whether it carries data of somebody's own, which nothing proves. */
  hasExtra: boolean
}

/** An event, and the proof that it came with; null where there was none. */
export type Given = { event: LoggedEvent; proof: Proof | null }

/** An event with its proof. */
export type Proved = { event: LoggedEvent; proof: Proof }

/** A file that was given, and what it is called. */
export type NamedText = { name: string; text: string }

/** What was given is not of a format that can be read, so nothing was checked; the message says which file and why. */
export class UnreadableFileError extends Error {
  constructor({ name }: NamedText, why: string) {
    super(`${name}: ${why}`)
  }
}

const MAX_INDEX = 2n ** 64n
const INDEX = /^(?:0|[1-9]\d{0,19})$/

function parseIndex(text: string): bigint | null {
  return INDEX.test(text) && BigInt(text) < MAX_INDEX ? BigInt(text) : null
}

const hashText = z.string().transform((text, context) => {
  const bytes = decodeBase64(text)
  if (bytes?.length === HASH_BYTES) return bytes
  context.addIssue('expected 32 bytes in canonical base64')
  return z.NEVER
})

// As exactJson reads whole numbers: beyond what a double holds, as BigInt.
const index = z.union([z.int().min(0).transform(BigInt), z.bigint().min(0n).lt(MAX_INDEX)], {
  error: 'expected a whole number from 0, below 2^64',
})

const jsonProof = z.strictObject({
  leafIndex: index,
  treeSize: index,
  leafHash: hashText,
  auditPath: z.array(hashText).max(64),
  checkpoint: z.string(),
})

const isMeantAsProof = (value: unknown) =>
  typeof value === 'object' && value !== null && ('leafIndex' in value || 'auditPath' in value)

const TLOG_PROOF = 'c2sp.org/tlog-proof@'
const isTlogProof = (text: string) => text.startsWith(TLOG_PROOF)

function parseTlogProof(file: NamedText): Proof {
  const { name, text } = file
  const refused = (why: string) => new VerificationError(name, `it is a tlog-proof, and ${why}`)
  const version = text.slice(TLOG_PROOF.length).split(/\s/, 1)[0] ?? ''
  if (version !== 'v1')
    throw new UnreadableFileError(
      file,
      `it is a tlog-proof of version ${JSON.stringify(version)}; what is known is "v1"`,
    )
  if (text.includes('\r'))
    throw new UnreadableFileError(file, 'it is a tlog-proof whose lines end with CR LF; they are to end with LF alone')
  const end = text.indexOf('\n\n')
  if (end < 0) throw refused('it holds no checkpoint: there is no empty line')
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (first !== `${TLOG_PROOF}v1`) throw refused('its first line says more than its version')
  const [, extra] = /^extra (.*)$/.exec(lines[0] ?? '') ?? []
  if (extra !== undefined) lines.shift()
  if (extra !== undefined && decodeBase64(extra) === null) throw refused('its extra data is not canonical base64')
  const leafIndex = parseIndex(/^index (\d+)$/.exec(lines.shift() ?? '')?.[1] ?? '')
  if (leafIndex === null) throw refused('it says no index')
  const auditPath = lines.map(decodeBase64)
  const isWhole = (all: (Buffer | null)[]): all is Buffer[] => all.every((one) => one?.length === HASH_BYTES)
  if (auditPath.length > 64 || !isWhole(auditPath)) throw refused('a hash in it is not 32 bytes in canonical base64')
  const checkpoint = text.slice(end + 2)
  return { leafIndex, treeSize: null, leafHash: null, auditPath, checkpoint, hasExtra: extra !== undefined }
}

function proofOf(file: NamedText, value: unknown): Proof {
  if (typeof value === 'string' && isTlogProof(value)) return parseTlogProof({ ...file, text: value })
  const parsed = jsonProof.safeParse(value)
  if (parsed.success) return { ...parsed.data, hasExtra: false }
  if (isMeantAsProof(value)) throw new VerificationError(file.name, `as a proof: ${wordsOf(parsed.error)}`)
  throw new UnreadableFileError(file, 'there is no proof in it: neither the JSON of one nor a tlog-proof (C2SP)')
}

function eventOf(file: NamedText, value: unknown): LoggedEvent {
  const event = parseEvent(value)
  if (typeof event !== 'string') return event
  if (isMeantAsEvent(value)) throw new VerificationError(file.name, `as an event: ${event}`)
  throw new UnreadableFileError(file, `there is no event in it: ${event}`)
}

function jsonOf(file: NamedText, what: string): unknown {
  try {
    return exactJson(file.text)
  } catch (error) {
    if (error instanceof InexactJsonError) throw new VerificationError(file.name, error.message)
    if (error instanceof SyntaxError) throw new UnreadableFileError(file, `it is ${what}: ${error.message}`)
    throw error
  }
}

const both = z.strictObject({ event: z.unknown(), proof: z.unknown().optional() })

/**
 * The event of a file, with its proof where the file holds both. Throws UnreadableFileError, and VerificationError for
 * what no log gives out.
 */
export function parseEventFile(file: NamedText): Given {
  if (isTlogProof(file.text))
    throw new UnreadableFileError(file, 'it is a proof (tlog-proof), and an event is expected')
  const value = jsonOf(file, 'no JSON')
  if (typeof value !== 'object' || value === null || !('event' in value))
    return { event: eventOf(file, value), proof: null }
  const parsed = both.safeParse(value)
  if (!parsed.success) throw new VerificationError(file.name, wordsOf(parsed.error))
  const { event, proof } = parsed.data
  return { event: eventOf(file, event), proof: proof === undefined ? null : proofOf(file, proof) }
}

/** The proof of a file. Throws UnreadableFileError, and VerificationError for what no log gives out. */
export function readProof(file: NamedText): Proof {
  return isTlogProof(file.text) ? parseTlogProof(file) : proofOf(file, jsonOf(file, 'neither JSON nor a tlog-proof'))
}

/** What was found out, step by step: what holds and what cannot be told, in words, and the first thing that does not hold. */
export type EventVerdict = { holds: string[]; open: string[]; fault: string | null }

/** What is wrong with the proof of a leaf; null where it leads to the root of its checkpoint. */
function inclusionFault(event: LoggedEvent, proof: Proof): string | null {
  const checkpoint = parseCheckpoint(parseNote(proof.checkpoint)?.text ?? '')
  if (!checkpoint) return 'the proof leads to no checkpoint (C2SP signed note)'
  const register = registerOfOrigin(checkpoint.origin)
  if (proof.leafIndex !== BigInt(event.position))
    return `the proof is of position ${proof.leafIndex}, the event says ${event.position}`
  if (proof.treeSize !== null && proof.treeSize !== checkpoint.size)
    return `the proof is for size ${proof.treeSize}, its checkpoint is of size ${checkpoint.size}`
  const leaf = leafHash(Buffer.from(leafText(register, event)))
  if (proof.leafHash && !proof.leafHash.equals(leaf))
    return `what the event says of itself, as an event of ${register}, is not what was sealed: its leaf has another hash`
  if (!isIncluded(proof.leafIndex, checkpoint.size, leaf, proof.auditPath, checkpoint.root))
    return 'the proof does not lead from the leaf of this event to the root of the checkpoint'
  return null
}

type Checked = { holds: string[]; body: 'content' | 'blank'; checkpoint: Believed }

function checkProved({ event, proof }: Proved, keys: readonly Verifier[]): Checked | EventVerdict {
  const holds: string[] = []
  const refused = (fault: string): EventVerdict => ({ holds, open: [], fault })
  const body = checkBody(event)
  if (body instanceof VerificationError) return refused(body.message)
  if (body === 'content')
    holds.push('occurredOn, data and citations are those that were recorded: they hash to bodyHash')
  const checkpoint = believeCheckpoint(proof.checkpoint, keys)
  if (typeof checkpoint === 'string') return refused(`the checkpoint: ${checkpoint}`)
  const { origin, size, by } = checkpoint
  holds.push(`the checkpoint of ${origin} at size ${size} is signed by ${by.map(keyLabel).join(', ')}`)
  const fault = inclusionFault(event, proof)
  if (fault !== null) return refused(fault)
  holds.push(`the event stands at position ${event.position} of that log, recorded ${event.recordedAt}`)
  return { holds, body, checkpoint }
}

/** What keeps an event from being what erased another one's content; null where it is. */
function redactionFault(event: LoggedEvent, by: LoggedEvent): string | null {
  if (by.type !== 'EventRedacted') return `it is ${by.type}, not EventRedacted`
  // The redaction of a fact takes its corrections with it, which stand in the same stream.
  const isOfTarget = event.type === 'EventCorrected' && event.data !== null && by.data?.event === event.data.event
  if (by.data?.event !== event.id && !isOfTarget) return `it redacts ${JSON.stringify(by.data?.event)}, not ${event.id}`
  if (by.stream !== event.stream) return `it stands in the stream ${by.stream}, the event in ${event.stream}`
  return by.position > event.position ? null : `it stands at position ${by.position}, before the event`
}

/** Why the content is not here, as far as the event that erased it proves that. */
function checkRedaction(
  { event }: Proved,
  { origin }: Believed,
  by: Proved,
  keys: readonly Verifier[],
): { holds: string } | { fault: string } {
  const what = 'the event that is to have redacted it'
  const checked = checkProved(by, keys)
  if ('fault' in checked) return { fault: `${what}: ${checked.fault}` }
  if (checked.checkpoint.origin !== origin)
    return { fault: `${what}: it is of ${checked.checkpoint.origin}, not of ${origin}` }
  if (checked.body === 'blank') return { fault: `${what}: its content is not here, so it says of nothing that` }
  const fault = redactionFault(event, by.event)
  if (fault !== null) return { fault: `${what}: ${fault}` }
  const { position, recordedAt, data } = by.event
  const why = `it was redacted by the event at position ${position}, recorded ${recordedAt}`
  // What JSON leaves of control characters, a terminal may still act on.
  return { holds: `${why}: ${JSON.stringify(data?.reason ?? null).replace(/\p{Cc}/gu, '\u{fffd}')}` }
}

/** What nothing proves of an event without its content. */
function openOf({ type, data }: LoggedEvent, isRedacted: boolean): string[] {
  const whether = isRedacted ? 'it was redacted, and' : 'whether it was redacted this file cannot tell:'
  const content = `what the event said: its content is not here; ${whether} only the hash of it is left`
  if (!isRepair(type) || data === null) return [content]
  return [
    content,
    `data.event, ${JSON.stringify(data.event)}: which event it was about; the hash of that can no longer be checked`,
  ]
}

export type EventQuestion = {
  keys: readonly Verifier[]
  /** Of which register it is to be. */
  register?: string | undefined
  /** What is said to have erased its content. */
  redaction?: Proved | undefined
}

/** Checks an event with its proof against keys that the caller trusts. */
export function verifyEvent(given: Proved, { keys, register, redaction }: EventQuestion): EventVerdict {
  const checked = checkProved(given, keys)
  if ('fault' in checked) return checked
  const { holds, body, checkpoint } = checked
  const refused = (fault: string): EventVerdict => ({ holds, open: [], fault })
  const own = registerOfOrigin(checkpoint.origin)
  if (register !== undefined && own !== register)
    return refused(`the checkpoint is of the register ${own}, not of ${register}`)
  const redacted = redaction && checkRedaction(given, checkpoint, redaction, keys)
  if (redacted && 'fault' in redacted) return refused(redacted.fault)
  if (redacted) holds.push(redacted.holds)
  const open = [
    ...(body === 'blank' ? openOf(given.event, redacted !== undefined) : []),
    ...(given.proof.hasExtra ? ['the extra data of the proof: it is no part of the log'] : []),
    'that what it says is true: only that it was recorded, then, as it is here',
    'that others are shown the same log: pledger verify watch, and checkpoints kept elsewhere, tell that',
  ]
  return { holds, open, fault: null }
}
