// The checks of one event in the browser, step by step: its content, its place in the log, the signed head of the log.
// The last step checks that this head extends the one that this browser saw before. No step is taken on trust, and no
// step that was not checked is said to hold.

import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { EventAnswer, KeysAnswer, ProofAnswer } from '../answers.ts'
import { type Checkpoint, isSigned, parseCheckpoint, parseNote } from './note.ts'
import { fromBase64, isConsistent, isIncluded, isSame, leafHash, sha256, type TreeHead } from './tree.ts'

const TEXT = new TextEncoder()
const LEAF_VERSION = 1

/** `held`: checked and right; `failed`: checked and wrong; `open`: it cannot be checked here, and the detail says why. */
type Outcome = 'held' | 'failed' | 'open'
type StepName = 'body' | 'leaf' | 'path' | 'signature' | 'history'
export type Step = { step: StepName; outcome: Outcome; values: Record<string, string> }

function step(name: StepName, outcome: Outcome | boolean, values: Record<string, string> = {}): Step {
  const said = typeof outcome === 'boolean' ? (outcome ? 'held' : 'failed') : outcome
  return { step: name, outcome: said, values }
}

/** Everything that a redaction erases is gone: all content but the `event` that a repair points to. */
function isBlank({ occurredOn, data, citations }: EventAnswer): boolean {
  return occurredOn === null && citations === null && Object.keys(data ?? {}).every((name) => name === 'event')
}

async function checkBody(event: EventAnswer): Promise<Step> {
  const { occurredOn, data, citations, salt, bodyHash } = event
  // Without its salt nothing can be hashed: then nothing may be shown as if it had been.
  if (salt === null) return step('body', isBlank(event) ? 'open' : 'failed', { bodyHash })
  const bytes = fromBase64(salt)
  if (!bytes) return step('body', false, { salt })
  const body = canonicalJson({ occurredOn, data, citations })
  const hash = await sha256(bytes, TEXT.encode(body))
  const expected = fromBase64(bodyHash)
  return step('body', expected !== null && isSame(hash, expected), { bodyHash })
}

/** The text that the log keeps as the leaf of an event. */
export function leafText(register: string, event: EventAnswer): string {
  const { bodyHash, id, position, recordedAt, recordedBy, revision, stream, type, typeVersion } = event
  const envelope = { bodyHash, id, position, recordedAt, recordedBy, register, revision, stream, type, typeVersion }
  return canonicalJson({ ...envelope, v: LEAF_VERSION })
}

function isHash(bytes: Uint8Array | null): bytes is Uint8Array<ArrayBuffer> {
  return bytes?.length === 32
}

async function checkPlace(event: EventAnswer, leaf: Uint8Array, proof: ProofAnswer, head: Checkpoint): Promise<Step> {
  const path = proof.auditPath.map(fromBase64)
  const isItsPlace = proof.leafIndex === event.position && BigInt(proof.treeSize) === head.size
  const isThere = isItsPlace && path.every(isHash) && (await isIncluded(BigInt(event.position), leaf, path, head))
  const values = { position: String(event.position), size: String(head.size), steps: String(path.length) }
  return step('path', isThere, values)
}

/** The keys that sign checkpoints of a size. */
function keysFor(keys: KeysAnswer['keys'], size: bigint): string[] {
  const signs = keys.filter(
    ({ fromSize, toSize }) => BigInt(fromSize) <= size && (toSize === null || size <= BigInt(toSize)),
  )
  return signs.map(({ vkey }) => vkey)
}

/** What is to be shown: the event at a position, or events of a commitment. Sound events of elsewhere are not it. */
export type Asked = { position: number } | { stream: string }

type Evidence = {
  register: string
  asked: Asked
  event: EventAnswer
  proof: ProofAnswer
  keys: KeysAnswer['keys']
}

/** The checkpoint that a proof leads to, with every step up to its signature. */
export async function checkEvent({
  register,
  asked,
  event,
  proof,
  keys,
}: Evidence): Promise<{ steps: Step[]; head: Checkpoint | null }> {
  const steps = [await checkBody(event)]
  const leaf = await leafHash(TEXT.encode(leafText(register, event)))
  const said = fromBase64(proof.leafHash)
  const isAsked = 'position' in asked ? event.position === asked.position : event.stream === asked.stream
  steps.push(step('leaf', isAsked && said !== null && isSame(leaf, said), { leafHash: proof.leafHash }))
  const note = parseNote(proof.checkpoint)
  const head = note && parseCheckpoint(note.text)
  if (!note || !head?.origin.endsWith(`/${register}`)) {
    steps.push(step('path', false), step('signature', false))
    return { steps, head: null }
  }
  steps.push(await checkPlace(event, leaf, proof, head))
  const signed = await isSigned(note, keysFor(keys, head.size))
  steps.push(step('signature', signed ?? 'open', { origin: head.origin, keys: keysFor(keys, head.size).join(' ') }))
  return { steps, head }
}

/** Whether a checkpoint extends the one seen before; the proof is of these two sizes, the smaller first. */
export async function checkHistory(before: TreeHead, head: TreeHead, proof: readonly string[]): Promise<Step> {
  const [first, second] = before.size <= head.size ? [before, head] : [head, before]
  const hashes = proof.map(fromBase64)
  const isExtended = hashes.every(isHash) && (await isConsistent(first, second, hashes))
  return step('history', isExtended, { first: String(first.size), second: String(second.size) })
}
