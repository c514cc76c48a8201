// A small register for a test file, and what a test reads out of answers about it.

import type { Test } from 'tap'
import type { Answer, TestService } from './service.ts'

export const JSON_TYPE = { 'content-type': 'application/json' }
export const NDJSON = { 'content-type': 'application/x-ndjson' }

export type Posted = {
  stream: string
  type: string
  occurredOn: string
  data: Record<string, unknown>
  citations?: unknown[]
  id?: string
  expectedRevision?: number
}

/** An event as it is posted. */
export function posted(
  stream: string,
  type: string,
  occurredOn: string,
  data: Record<string, unknown> = {},
  more: Partial<Posted> = {},
): Posted {
  return { stream, type, occurredOn, data, ...more }
}

/** A promise without a due day. */
export function made(stream: string, data: Record<string, unknown> = {}, more: Partial<Posted> = {}): Posted {
  return posted(stream, 'CommitmentMade', '2026-01-01', { title: stream, ...data }, more)
}

/** A UUID that differs in its number. */
export function uuid(number: number): string {
  return `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`
}

export const OPENED = { title: 'Demo', parties: [{ id: 'A', name: 'Party A' }], timeZone: 'UTC' }

/** Opens `demo` and defines programme `p1`, source `S1` and commitment `bridge`: size 4. */
export async function openDemo(service: Pick<TestService, 'post'>): Promise<void> {
  const opened = await service.post('/v1/registers', { id: 'demo', ...OPENED })
  const defined = await service.post('/v1/registers/demo/events', [
    posted('$register', 'ProgrammeDefined', '2026-01-01', { programme: 'p1', title: 'Programme 1' }),
    posted('$register', 'SourceAdded', '2026-01-01', { source: 'S1', title: 'Source 1' }),
    made('bridge'),
  ])
  if (opened.status !== 201 || defined.status !== 201) throw new Error(`${opened.text} ${defined.text}`)
}

/** The text of NDJSON lines. */
export function lines(...bodies: unknown[]): string {
  return bodies.map((body) => `${typeof body === 'string' ? body : JSON.stringify(body)}\n`).join('')
}

/** What a problem says to a program: status, type, and where the body is wrong. Throws where it is not problem+json. */
export function problem({ status, headers, body }: Answer) {
  const mediaType = headers['content-type']
  if (mediaType !== 'application/problem+json; charset=utf-8') throw new Error(`${status} ${mediaType}`)
  if (body.status !== status || typeof body.title !== 'string') throw new Error(JSON.stringify(body))
  const pointers = body.errors?.map(({ pointer }: { pointer: string }) => pointer) ?? []
  return { status, type: body.type, pointers }
}

/** Asserts that a request is refused with this status, word and these pointers, and that it recorded nothing. */
export async function refuses(
  t: Test,
  service: TestService,
  send: () => Promise<Answer>,
  [status, word, ...pointers]: readonly [number, string, ...string[]],
): Promise<Answer> {
  const before = await service.size('demo')
  const answer = await send()
  t.strictSame(problem(answer), { status, type: `/problems/${word}`, pointers })
  t.equal(await service.size('demo'), before, 'the size is unchanged')
  return answer
}
