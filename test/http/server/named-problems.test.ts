// An operation names the problems that it may answer with, and every test of the service holds it to them.

import fastify from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { holdToNamedProblems, problemResponses, problemsOf } from '../../../src/http/server/named-problems.ts'
import { answerError, Problem } from '../../../src/http/server/problem.ts'
import type { ProblemWord } from '../../../src/kernel/problem-words.ts'

t.test('what follows from a route itself need not be named', async (t) => {
  const schema = { querystring: z.strictObject({ knownAt: z.string(), cursor: z.string() }) }
  const words = problemsOf({
    url: '/v1/registers/:register/x',
    schema,
    config: { permission: 'read', problems: ['not-sealed'] },
  })
  const expected: ProblemWord[] = [
    'beyond-knowledge',
    'unauthorized',
    'forbidden',
    'unknown-register',
    'not-sealed',
    'cursor-expired',
    'identity-unavailable',
  ]
  t.strictSame(
    expected.filter((word) => !words.includes(word)),
    [],
  )
  const open = problemsOf({ url: '/x', schema: {}, config: { permission: 'open' } })
  t.strictSame(
    open.filter((word) => [...expected, 'invalid-body'].includes(word)),
    [],
  )
  t.ok(
    problemsOf({ url: '/x', schema: {}, config: { permission: 'read', consumes: ['a/b'] } }).includes('invalid-body'),
  )
})

t.test('operations with the same problems share a response, with an example for each word', async (t) => {
  const shared = {}
  const first = problemResponses(['not-known', 'unknown-register', 'internal'], shared)
  const second = problemResponses(['unknown-register', 'not-known'], shared)
  t.strictSame(first, {
    404: { $ref: '#/components/responses/not-known.unknown-register' },
    500: { $ref: '#/components/responses/internal' },
  })
  t.strictSame(Object.keys(second), ['404'])
  t.match(shared, {
    internal: {
      description: '`internal`: The service failed',
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: {
            internal: { value: { type: '/problems/internal', title: 'The service failed', status: 500 } },
          },
        },
      },
    },
  })
})

t.test('an answer with a problem that its operation does not name fails the test that asked', async (t) => {
  const app = fastify()
  app.setErrorHandler(answerError)
  holdToNamedProblems(app)
  const config = { permission: 'open' as const, problems: ['not-sealed' as const] }
  app.get<{ Params: { word: ProblemWord } }>('/x/:word', { config, schema: {} }, (request) => {
    throw new Problem(request.params.word)
  })
  t.teardown(() => app.close())
  t.equal((await app.inject('/x/not-sealed')).statusCode, 409)
  t.equal((await app.inject('/x/rate-limited')).statusCode, 429)
  const other = await app.inject('/x/id-reused')
  t.equal(other.statusCode, 500)
  t.match(other.json(), { message: 'GET /x/:word answers with id-reused, which its description does not name' })
  t.equal((await app.inject('/y')).statusCode, 404)
})
