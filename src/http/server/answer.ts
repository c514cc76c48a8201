// What the routes that answer questions have in common: find the register, resolve the clocks, compare the ETag, and only then
// ask. The questions themselves (src/questions) know nothing of requests.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { formatDay } from '../../kernel/plain-date.ts'
import type { Source } from '../../questions/basis.ts'
import { type Clocks, resolveClocks } from '../../questions/clocks.ts'
import type { PagedQuestion, Question } from '../../questions/question.ts'
import type { AskedRegister } from '../../questions/register.ts'
import type { ClockParameters } from '../../questions/size.ts'
import { type Context, registerOf } from './context.ts'
import { type Cursors, linkNext, type Paged } from './cursor.ts'
import { isUnchanged } from './negotiate.ts'
import { Problem } from './problem.ts'

/** The size that a caller wants to be known at least: `minSize`, or the `Pledger-Size` of a recording sent back. */
export function wantedSize(request: FastifyRequest, minSize: number | undefined): number | undefined {
  const header = request.headers['pledger-size']
  if (header === undefined) return minSize
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw new Problem('malformed', { detail: 'header Pledger-Size: expected a size' })
  }
  return Math.max(Number(header), minSize ?? 0)
}

/** The clocks that a request names, with the size that it wants to be known at least. */
export function clocksOf(
  context: Context,
  request: FastifyRequest,
  asked: AskedRegister,
  source: Source,
  { asOf, knownAt, minSize }: ClockParameters,
): Promise<Clocks> {
  return resolveClocks(context, asked, source, { asOf, knownAt, minSize: wantedSize(request, minSize) })
}

/**
 * Whether the caller has the answer that a question has at its clocks: then the reply is a 304, before any table is read. The ETag
 * is over the parameters of the request, or over those of its cursor.
 */
export function isAnswered(
  request: FastifyRequest,
  reply: FastifyReply,
  { version = 0 }: { version?: string | number },
  { size, asOf, basis }: Clocks,
  parameters = request.query,
): boolean {
  return isUnchanged(request, reply, { size, asOf: formatDay(asOf), projection: version, basis, parameters })
}

/** Answers a question about the register that the path names; with a 304 where the caller has the answer. */
export async function answerQuestion<Query extends ClockParameters, Answer>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question<Query, Answer>,
  query: Query,
): Promise<Answer | FastifyReply> {
  const asked = await registerOf(context, request)
  question.check?.(query)
  const clocks = await clocksOf(context, request, asked, question.source, query)
  if (isAnswered(request, reply, question, clocks)) return reply.send()
  return await question.ask(context, clocks, query)
}

/** How a list comes in pages: its cursors, where it is found below its register, and how many items a page has by default. */
type Paging<Query, Place> = { cursors: Cursors<Query, Place>; path: string; defaultLimit: number }

/** The clocks that a cursor pins: those that the page before was answered at. */
export function pinnedClocks({ asOf, size }: Clocks): { asOf: string; knownAt: string } {
  return { asOf: formatDay(asOf), knownAt: String(size) }
}

/** Answers a question whose answer comes in pages; `next` and the header `Link` name the next one. */
export async function answerPage<Query extends ClockParameters & Paged, Place, Answer extends { next: Place | null }>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  question: PagedQuestion<Query, Place, Answer>,
  { cursors, path, defaultLimit }: Paging<Query, Place>,
  given: Query,
): Promise<(Omit<Answer, 'next'> & { next: string | null }) | FastifyReply> {
  const asked = await registerOf(context, request)
  // The cursor's clocks are the question's clocks.
  const { query, place } = cursors.read(asked.register, given, request.url)
  const clocks = await clocksOf(context, request, asked, question.source, query)
  if (isAnswered(request, reply, question, clocks, query)) return reply.send()
  const page = await question.ask(context, clocks, query, { place, limit: query.limit ?? defaultLimit })
  const next = page.next === null ? null : cursors.write(asked.register, query, pinnedClocks(clocks), page.next)
  linkNext(reply, `/v1/registers/${asked.register}/${path}`, next, query.limit)
  return { ...page, next }
}
