// Idempotency-Key: a recording that is sent again is answered as the first time
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).

import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RecordingKey } from '../../eventlog/keys.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { EventOutcome, Group } from '../../recording/admission.ts'
import { type OnceOutcome, once } from '../../recording/once.ts'
import { recordedBy } from './access.ts'
import type { Context } from './context.ts'
import { Problem } from './problem.ts'

/** The header as the description of a route has it. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z.string().optional().meta({
    description:
      'A request that is sent again with the same key within 24 hours is recorded once. The second answer repeats the first, with Idempotency-Replayed: true. Keys are kept for 48 hours',
  }),
})

// A string of structured fields (RFC 9651): the draft's form. Bare keys are what most clients send.
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/
const BARE = /^[!#-~]+$/
const MAX_KEY = 255

/** The key of a request, without its quotes; null where it has none. Throws Problem `malformed`. */
function keyOf(request: FastifyRequest): string | null {
  const given = request.headers['idempotency-key']
  if (given === undefined) return null
  const text = Array.isArray(given) ? given.join(', ') : given
  const key = QUOTED.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? (BARE.test(text) ? text : '')
  if (key.length >= 1 && key.length <= MAX_KEY) return key
  throw new Problem('malformed', {
    detail: `header Idempotency-Key: expected 1 to ${MAX_KEY} visible ASCII characters, in double quotes where there are spaces, without parameters`,
  })
}

/** What a key stands for: the resource and the body, whatever its white space and the order of its members. */
function fingerprintOf(request: FastifyRequest): Buffer {
  return hash('sha256', canonicalJson([request.method, request.url.split('?')[0], request.body]), 'buffer')
}

/** How many bytes a request's body has. */
function bytesOf(request: FastifyRequest): number {
  return Number(request.headers['content-length'] ?? 0) || 0
}

/**
 * Records a group, once where the request has an Idempotency-Key, and marks an answer that was given before. Throws Problem
 * `in-flight` or `key-reused`.
 */
export async function recordGroup(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  register: string,
  group: Group,
): Promise<EventOutcome[]> {
  const key = keyOf(request)
  const bytes = bytesOf(request)
  const by = recordedBy(request)
  if (key === null) return (await context.recorder.record(register, [group], by, { bytes }))[0] ?? []
  const recording = { register, group, recordedBy: by, bytes, key: { key, fingerprint: fingerprintOf(request) } }
  return outcomesOf(await context.recorder.recordOnce(recording), key, reply)
}

/**
 * Records by a way of its own, once where the request has an Idempotency-Key, and marks an answer that was given before.
 * `record` keeps the key with what it records. Throws Problem `key-reused`.
 */
export async function recordOnce(
  { db, now }: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  register: string,
  record: (key: RecordingKey | null) => Promise<EventOutcome[]>,
): Promise<EventOutcome[]> {
  const text = keyOf(request)
  if (text === null) return record(null)
  const key = { key: text, fingerprint: fingerprintOf(request) }
  const keyed = { register, recordedBy: recordedBy(request), key }
  return outcomesOf(await once(db, now, keyed, () => record(key)), text, reply)
}

function outcomesOf(outcome: OnceOutcome, key: string, reply: FastifyReply): EventOutcome[] {
  switch (outcome.kind) {
    case 'done':
      if (outcome.isReplayed) reply.header('idempotency-replayed', 'true')
      return outcome.outcomes
    case 'inFlight':
      throw new Problem('in-flight', {
        detail: `the request with Idempotency-Key ${key} is still being answered`,
        headers: { 'retry-after': '1' },
      })
    case 'reused':
      throw new Problem('key-reused', { detail: `Idempotency-Key ${key} came with another request before` })
  }
}
