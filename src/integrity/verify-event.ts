// An event and its proof, checked with a public key alone.

import { z } from 'zod'
import { decodeBase64 } from './base64.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { HASH_BYTES, isIncluded, leafHash } from './merkle.ts'
import { parseNote, type Verifier } from './note.ts'
import {
  believeCheckpoint,
  checkBody,
  Fault,
  keyLabel,
  type LoggedEvent,
  leafText,
  parseEvent,
  registerOfOrigin,
} from './verify.ts'

/** An inclusion proof as it is given out. `treeSize` and `leafHash` are null where it does not say them (C2SP tlog-proof). */
type Proof = {
  leafIndex: bigint
  treeSize: bigint | null
  leafHash: Buffer | null
  auditPath: Buffer[]
  checkpoint: string
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

const jsonProof = z.object({
  leafIndex: z.bigint(),
  treeSize: z.bigint(),
  leafHash: hashText,
  auditPath: z.array(hashText).max(64),
  checkpoint: z.string(),
})

const TLOG_PROOF = 'c2sp.org/tlog-proof@v1'

function parseTlogProof(text: string): Proof | string {
  const end = text.indexOf('\n\n')
  if (end < 0) return 'it holds no checkpoint'
  const lines = text.slice(0, end).split('\n').slice(1)
  if (lines[0]?.startsWith('extra ')) lines.shift()
  const leafIndex = parseIndex(/^index (\d+)$/.exec(lines.shift() ?? '')?.[1] ?? '')
  if (leafIndex === null) return 'it says no index'
  const auditPath = lines.map(decodeBase64)
  const isWhole = (all: (Buffer | null)[]): all is Buffer[] => all.every((one) => one?.length === HASH_BYTES)
  if (auditPath.length > 64 || !isWhole(auditPath)) return 'a hash in it is not 32 bytes in canonical base64'
  return { leafIndex, treeSize: null, leafHash: null, auditPath, checkpoint: text.slice(end + 2) }
}

/** A JSON text, in which indices of trees are BigInt: beyond 2^53 a number would be another one. Throws SyntaxError. */
function parseJson(text: string): unknown {
  // The third argument is newer than the type of JSON.parse.
  const exact = (key: string, value: unknown, context?: { source?: string }) =>
    (key === 'leafIndex' || key === 'treeSize') && typeof value === 'number'
      ? (parseIndex(context?.source ?? '') ?? value)
      : value
  return JSON.parse(text, exact)
}

function parseProof(value: unknown): Proof | string {
  if (typeof value === 'string') return parseTlogProof(value)
  const parsed = jsonProof.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`
}

/** The files of `verify event` cannot be read as what they should be; the message says which and why. */
export class NotReadable extends Error {}

function readable(what: string, text: string): unknown {
  if (text.startsWith(`${TLOG_PROOF}\n`)) return text
  try {
    return parseJson(text)
  } catch (error) {
    throw new NotReadable(`${what} is no JSON: ${(error as Error).message}`)
  }
}

/** The event and the proof of a text that holds both (`{event, proof}`), or of two. Throws NotReadable. */
export function readEventAndProof(text: string, proofText: string | null): { event: LoggedEvent; proof: Proof } {
  const value = readable('the event', text)
  const both = z.object({ event: z.unknown(), proof: z.unknown() }).safeParse(value)
  const isBoth = both.success && both.data.proof !== undefined
  if (!isBoth && proofText === null)
    throw new NotReadable('there is no proof: expected {"event": …, "proof": …}, or --proof')
  if (isBoth && proofText !== null) throw new NotReadable('there are two proofs: one in the file, and --proof')
  const event = parseEvent(isBoth ? both.data.event : value)
  if (typeof event === 'string') throw new NotReadable(`this is no event: ${event}`)
  const proof = parseProof(isBoth ? both.data.proof : readable('the proof', proofText ?? ''))
  if (typeof proof === 'string') throw new NotReadable(`this is no proof: ${proof}`)
  return { event, proof }
}

/** What was found out, step by step: what holds, in words, and the first thing that does not. */
export type EventVerdict = { holds: string[]; fault: string | null }

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

/** Checks an event with its proof against keys that the caller trusts; `register`, where given, is to be the event's. */
export function verifyEvent(
  { event, proof }: { event: LoggedEvent; proof: Proof },
  keys: readonly Verifier[],
  register?: string,
): EventVerdict {
  const holds: string[] = []
  const refused = (fault: string): EventVerdict => ({ holds, fault })
  const body = checkBody(event)
  if (body instanceof Fault) return refused(body.message)
  if (body === 'content')
    holds.push('occurredOn, data and citations are those that were recorded: they hash to bodyHash')
  const checkpoint = believeCheckpoint(proof.checkpoint, keys)
  if (typeof checkpoint === 'string') return refused(`the checkpoint: ${checkpoint}`)
  const { origin, size, by } = checkpoint
  holds.push(`the checkpoint of ${origin} at size ${size} is signed by ${by.map(keyLabel).join(', ')}`)
  if (register !== undefined && registerOfOrigin(origin) !== register)
    return refused(`the checkpoint is of the register ${registerOfOrigin(origin)}, not of ${register}`)
  const fault = inclusionFault(event, proof)
  if (fault !== null) return refused(fault)
  holds.push(`the event stands at position ${event.position} of that log, recorded ${event.recordedAt}`)
  return { holds, fault: null }
}

/** What cannot be told from an event and its proof. */
export function notVerified({ salt }: LoggedEvent): string[] {
  const content = 'what the event said: it was redacted, and only the hash of its content is left'
  return [
    ...(salt === null ? [content] : []),
    'that what it says is true: only that it was recorded, then, as it is here',
    'that others are shown the same log: pledger verify watch, and checkpoints kept elsewhere, tell that',
  ]
}
