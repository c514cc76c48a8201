// The problems that an operation may answer with, by name. What follows from the route itself is derived; its own words stand
// in `config.problems`. The description of the API lists them, and tests hold every answer against that list.

import type { FastifyContextConfig, FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import {
  PROBLEM_WORDS,
  type ProblemWord,
  problemStatus,
  problemTitle,
  problemType,
} from '../../kernel/problem-words.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems that only this operation, and few others, may answer with. */
    problems?: readonly ProblemWord[]
  }
}

/** What any request can meet, whatever it asks for. */
const ANYWHERE: readonly ProblemWord[] = [
  'malformed',
  'not-acceptable',
  'slow-request',
  'rate-limited',
  'header-too-large',
  'internal',
  'database-unavailable',
  'took-too-long',
  'projection-behind',
]

type NamedRoute = Pick<RouteOptions, 'url' | 'schema'> & { config?: FastifyContextConfig | undefined }

function parametersOf(schema: RouteOptions['schema']): ReadonlySet<string> {
  const { querystring } = schema ?? {}
  return new Set(querystring instanceof z.ZodObject ? Object.keys(querystring.shape) : [])
}

/** Every problem that an operation may answer with, in the order of the closed list. */
export function problemsOf({ url, schema, config }: NamedRoute): ProblemWord[] {
  const parameters = parametersOf(schema)
  const words = new Set<ProblemWord>([...ANYWHERE, ...(config?.problems ?? [])])
  const add = (isSo: boolean, ...more: ProblemWord[]) => isSo && more.forEach((word) => void words.add(word))
  add(config?.permission !== 'open', 'unauthorized', 'forbidden', 'identity-unavailable')
  add(url.includes(':register'), 'unknown-register')
  add(config?.consumes !== undefined, 'unsupported-media-type', 'too-large', 'invalid-body')
  add(parameters.has('knownAt') || parameters.has('size') || parameters.has('after'), 'beyond-knowledge')
  add(parameters.has('cursor'), 'cursor-expired')
  return PROBLEM_WORDS.filter((word) => words.has(word))
}

export const problemAnswer = z
  .looseObject({
    type: z.string().meta({ description: 'The word of the problem, which stays the same: /problems/{word}' }),
    title: z.string().meta({ description: 'What the word means; the same for every occurrence' }),
    status: z.int().meta({ description: 'The HTTP status of the answer' }),
    detail: z.string().optional().meta({ description: 'What is wrong here, in a sentence' }),
    instance: z.string().optional().meta({ description: 'The path of the request' }),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().meta({ description: 'Where it is wrong, as a JSON pointer (RFC 6901)' }),
          detail: z.string().meta({ description: 'What is wrong there' }),
        }),
      )
      .optional()
      .meta({ description: 'Each fault of the request, at most 100' }),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457). Some problems have further members' })

/** The responses that say no, by their names in the description of the API. */
export type NamedResponses = Record<string, object>

function problemResponse(status: number, words: readonly ProblemWord[]): object {
  const description = words.map((word) => `\`${word}\`: ${problemTitle(word)}`).join('. ')
  const examples = Object.fromEntries(
    words.map((word) => [word, { value: { type: problemType(word), title: problemTitle(word), status } }]),
  )
  const schema = { $ref: `#/components/schemas/${z.globalRegistry.get(problemAnswer)?.id}` }
  return { description, content: { 'application/problem+json': { schema, examples } } }
}

/**
 * The responses of an operation that say no: a response a status, an example a word. Each is a reference into `shared`, to
 * which it is added.
 */
export function problemResponses(words: readonly ProblemWord[], shared: NamedResponses): NamedResponses {
  const byStatus = Map.groupBy(words, problemStatus)
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => {
      const name = named.join('.')
      shared[name] ??= problemResponse(status, named)
      return [status, { $ref: `#/components/responses/${name}` }]
    }),
  )
}

/** Fails where an operation answers with a problem that its description does not name: for tests. */
export function holdToNamedProblems(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { url, schema, config } = request.routeOptions
    const isProblem = String(reply.getHeader('content-type')).startsWith('application/problem+json')
    // What no route matches has no description; nor has a page.
    if (!isProblem || url === undefined || schema === undefined || ('hide' in schema && schema.hide)) return done()
    // Safe: every problem is a JSON object with its type.
    const { type } = JSON.parse(String(payload)) as { type: string }
    const word = type.slice(problemType('' as ProblemWord).length) as ProblemWord // whatever it is, it is only looked for
    if (problemsOf({ url, schema, config }).includes(word)) return done()
    reply.code(500)
    done(new Error(`${request.method} ${url} answers with ${word}, which its description does not name`))
  })
}
