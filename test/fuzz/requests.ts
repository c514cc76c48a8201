// Requests for every operation of openapi.json, most of them nearly right: ids that are there, days and sizes of the registers,
// cursors that were given, bodies from the schemas; and then something wrong in it.

import fc from 'fast-check'
import { type Components, fitting, mutated, ODD_TEXTS, oddText, type Schema } from './schema.ts'

type Parameter = { name: string; in: string; required?: boolean; schema: Schema }
type Media = Record<string, { schema?: Schema; examples?: Record<string, unknown> }>
export type Operation = {
  parameters?: Parameter[]
  requestBody?: { content: Media }
  responses: Record<string, Response>
}
type Response = { content?: Media }
export type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Components; responses?: Record<string, Response> }
}

/** The document with the shared responses where they are referred to. */
export function withoutSharedResponses(document: Document): Document {
  const shared = (response: Response & { $ref?: string }): Response =>
    document.components.responses?.[response.$ref?.split('/').at(-1) ?? ''] ?? response
  const operations = (path: Record<string, Operation>) =>
    Object.entries(path).map(([method, operation]) => {
      const responses = Object.entries(operation.responses).map(([status, response]) => [status, shared(response)])
      return [method, { ...operation, responses: Object.fromEntries(responses) }]
    })
  const paths = Object.entries(document.paths).map(([path, given]) => [path, Object.fromEntries(operations(given))])
  return { ...document, paths: Object.fromEntries(paths) }
}

export type FuzzRequest = {
  method: string
  url: string
  headers: Record<string, string>
  payload: string
}

/** What the service has told so far, to be asked for: it grows with the answers. */
export type Known = {
  registers: string[]
  commitments: string[]
  positions: string[]
  ids: string[]
  cursors: string[]
  operations: string[]
  sizes: string[]
}

const DAYS = ['2020-01-01', '2026-02-26', '2024-02-29', '0000-01-01', '9999-12-31', '2024-13-01', '2026-02-30']
const INSTANTS = ['2026-02-26T12:00:00Z', '2026-03-01T12:00:00.000Z', '2026-03-01T12:00:00', '9999-12-31T23:59:59.999Z']

/** The pool that a parameter is usually taken from; null where its schema says enough. */
function poolOf({ name }: Parameter, known: Known): readonly string[] | null {
  switch (name) {
    case 'register':
      return known.registers
    case 'commitment':
    case 'stream':
      return known.commitments
    case 'position':
      return known.positions
    case 'id':
      return known.operations
    case 'cursor':
      return known.cursors
    case 'asOf':
      return DAYS
    // Days of a series, sizes of a difference.
    case 'from':
      return ['0', '20', ...known.sizes.slice(0, 3), '2025-06-01', '2025-06-01', '2020-01-01', '2026-02-30']
    case 'to':
      return ['20', ...known.sizes.slice(0, 3), '2025-06-01', '2025-07-31', '2026-02-26', '9999-12-31']
    case 'knownAt':
      return [...known.sizes, ...DAYS, ...INSTANTS]
    // A size that the log has not reached is waited for, and answered 503 after 5 s: there is a test of its own for that.
    case 'minSize':
      return ['0', '1', '5']
    case 'first':
    case 'second':
    case 'size':
    case 'after':
    case 'until':
      return known.sizes
    case 'name':
    case 'projection':
      return ['commitments', 'periods', 'tallies', 'all']
    case 'level':
      return ['0', '0', '0', 'entries', '1', '64', '-1']
    case 'rest':
      return [...known.sizes.map((size) => `000.p/${size}`), '000', 'x001/000', '000.p/256', '../000', '000.p/0']
    case 'word':
      return ['malformed', 'nothing']
    default:
      return null
  }
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** One value of a parameter: from what is known, after its schema, or odd. */
function parameterValue(parameter: Parameter, known: Known, components: Components): fc.Arbitrary<string[]> {
  const { name, schema } = parameter
  const pool = poolOf(parameter, known)
  const byItsSchema = fitting(schema, components).map((value) =>
    Array.isArray(value) ? value.map(text) : [text(value)],
  )
  const usual = pool && pool.length > 0 ? fc.constantFrom(...pool).map((one) => [one]) : byItsSchema
  if (name === 'minSize') return usual
  return fc.oneof(
    { weight: 20, arbitrary: usual },
    { weight: 2, arbitrary: byItsSchema },
    { weight: 1, arbitrary: oddText.map((one) => [one]) },
    { weight: 1, arbitrary: fc.tuple(usual, usual).map(([a, b]) => [...a, ...b]) },
  )
}

const isLone = (value: string) => !value.isWellFormed()
const encoded = (value: string) => encodeURIComponent(isLone(value) ? value.toWellFormed() : value)

function pathOf(path: string, operation: Operation, known: Known, components: Components): fc.Arbitrary<string> {
  const parameters = (operation.parameters ?? []).filter((one) => one.in === 'path')
  return fc.tuple(...parameters.map((one) => parameterValue(one, known, components))).map((values) =>
    parameters.reduce((made, { name }, at) => {
      const value = values[at]?.[0] ?? ''
      // The rest of a path has slashes of its own.
      return made.replace(`{${name}}`, () => (name === 'rest' ? encodeURI(value.toWellFormed()) : encoded(value)))
    }, path),
  )
}

function queryOf(operation: Operation, known: Known, components: Components): fc.Arbitrary<string> {
  const parameters = (operation.parameters ?? []).filter((one) => one.in === 'query')
  const pairs = parameters.map((one) => {
    const present = parameterValue(one, known, components).map((values) =>
      values.map((value) => `${one.name}=${encoded(value)}`),
    )
    const absent = fc.constant<string[]>([])
    return one.required
      ? fc.oneof({ weight: 9, arbitrary: present }, { weight: 1, arbitrary: absent })
      : fc.oneof(
          { weight: 1, arbitrary: present },
          { weight: Math.max(2, Math.ceil(parameters.length / 3)), arbitrary: absent },
        )
  })
  const odd = fc.oneof(
    { weight: 30, arbitrary: fc.constant<string[]>([]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(['%'], ['%zz=1'], ['=1'], ['unknown=1'], ['&&'], ['a[]=1'], ['__proto__=1']),
    },
  )
  return fc.tuple(odd, ...pairs).map((all) => {
    const query = all.flat().join('&')
    return query === '' ? '' : `?${query}`
  })
}

const HEADER_SAFE = /^[\t -~]*$/
const headerText = fc.constantFrom(...ODD_TEXTS.filter((one) => HEADER_SAFE.test(one) && one.length < 5_000))

function headersOf(operation: Operation): fc.Arbitrary<Record<string, string>> {
  const produced = Object.values(operation.responses).flatMap(({ content }) => Object.keys(content ?? {}))
  // A stream of events never ends: it has tests of its own.
  const accepts = produced.filter((type) => type !== 'text/event-stream' && type !== 'application/problem+json')
  return fc
    .record(
      {
        accept: fc.constantFrom(...accepts, ...accepts, ...accepts, '*/*', 'text/html', 'a/b;q=2, */*;q=0.1'),
        'if-none-match': fc.constantFrom('*', '"x"', 'W/"x", "y"', 'x'),
        'idempotency-key': fc.oneof(fc.constantFrom('a', 'b', '"c"', 'x'.repeat(300)), headerText),
        prefer: fc.constantFrom('return=minimal', 'wait=5'),
        'if-match': fc.constantFrom('"x"'),
        'last-event-id': fc.constantFrom('0', '-1', 'x'),
        'accept-encoding': fc.constantFrom('gzip', 'br;q=1', 'nonsense'),
      },
      { requiredKeys: [] },
    )
    .map((all) => (Object.keys(all).length > 3 ? {} : all))
}

/** Bodies that are no JSON, or more of it than one should send. */
const BROKEN = [
  '',
  '{',
  '[]',
  '[[[[',
  'null',
  '"x"',
  '{"a":1}{',
  '\u0000',
  '[{}]',
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
]

/** Puts ids that are there into a posted event, so that it is about something. */
function grounded(value: unknown, known: Known, pick: number): unknown {
  if (Array.isArray(value)) return value.map((one, at) => grounded(one, known, pick + at))
  if (typeof value !== 'object' || value === null) return value
  if ('timeZone' in value && pick % 4 !== 0) return { ...value, timeZone: 'Europe/Minsk' }
  if (!('stream' in value)) return value
  const from = (pool: readonly string[]) => pool[pick % Math.max(1, pool.length)]
  const event: Record<string, unknown> = { ...value }
  if (pick % 8 !== 0 && event.stream !== '$register') event.stream = from(known.commitments)
  if (pick % 3 !== 0) event.occurredOn = ['2025', '2025-06', '2025-06-30', '../2025-01-01'][pick % 4]
  if (pick % 5 !== 0) delete event.expectedRevision
  if (pick % 4 !== 0) event.citations = []
  const { data } = event
  if (typeof data === 'object' && data !== null && 'event' in data && pick % 6 !== 0)
    event.data = { ...data, event: from(known.ids) }
  return event
}

function bodyOf(
  { requestBody }: Operation,
  known: Known,
  components: Components,
): fc.Arbitrary<{ type: string | null; payload: string }> {
  if (!requestBody) return fc.constant({ type: null, payload: '' })
  const { content } = requestBody
  const JSON_TYPE = 'application/json'
  const right = fc
    .tuple(fitting(content[JSON_TYPE]?.schema ?? {}, components), fc.nat())
    .map(([value, pick]) => grounded(value, known, pick))
  const wrong = right.chain(mutated)
  const json = fc.oneof({ weight: 3, arbitrary: right }, { weight: 2, arbitrary: wrong }).map((value) => ({
    type: JSON_TYPE,
    payload: JSON.stringify(value) ?? '',
  }))
  const broken = fc.constantFrom(...BROKEN).map((payload) => ({ type: JSON_TYPE, payload }))
  const untyped = fc
    .tuple(fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=utf-16', 'x', ''), json)
    .map(([type, { payload }]) => ({ type, payload }))
  const all = [
    { weight: 12, arbitrary: json },
    { weight: 1, arbitrary: broken },
    { weight: 1, arbitrary: untyped },
  ]
  if (content['application/x-ndjson']) {
    const lines = fc
      .array(
        fc.oneof(
          json.map(({ payload }) => payload),
          fc.constantFrom(...BROKEN),
        ),
        { maxLength: 5 },
      )
      .map((some) => ({ type: 'application/x-ndjson', payload: some.join('\n') }))
    all.push({ weight: 4, arbitrary: lines })
  }
  return fc.oneof(...all)
}

/** Requests for an operation, given what is known of the service so far. */
export function requestsFor(
  { method, path, operation }: { method: string; path: string; operation: Operation },
  known: Known,
  { components }: Document,
): fc.Arbitrary<FuzzRequest> {
  const { schemas } = components
  return fc
    .tuple(
      pathOf(path, operation, known, schemas),
      queryOf(operation, known, schemas),
      headersOf(operation),
      bodyOf(operation, known, schemas),
    )
    .map(([made, query, headers, { type, payload }]) => ({
      method: method.toUpperCase(),
      url: made + query,
      headers: { ...headers, ...(type !== null && { 'content-type': type }) },
      payload,
    }))
}
