// Values from the schemas of openapi.json: those that a schema accepts, and those that somebody sends who does not read it.

import fc from 'fast-check'

export type Schema = {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  propertyNames?: Schema
  items?: Schema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  pattern?: string
}

/** Where `$ref`s of a document lead. */
export type Components = Record<string, Schema>

/** Lists, texts and maps are seldom made longer than this: what is long is tried on purpose, below. */
const USUAL = 4
const USUAL_TEXT = 40

const DATES = ['2019', '2024-02', '2026-02-26', '2024-02-29', '2023-02-29', '../2025-01-01', '2024/2025', '2026-01/..']

/** Texts that break what is put together carelessly: quotes, escapes, other scripts, half pairs, words of other formats. */
export const ODD_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\uffff',
  "'; drop table event; --",
  '%00',
  '%',
  '%25',
  '../../etc/passwd',
  '$register',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-0',
  '1e400',
  '9007199254740993',
  '\u202e\u0645\u0631\u062d\u0628\u0627',
  '\u{1f600}'.repeat(30),
  '{{7*7}}',
  '<script>alert(1)</script>',
  '\\',
  '"',
  '\r\nx-injected: 1',
  'x'.repeat(10_001),
]

export const oddText: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary' }))

function textOf({ pattern, minLength = 0, maxLength = USUAL_TEXT }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'))
  const most = Math.max(minLength, Math.min(maxLength, USUAL_TEXT))
  const words = fc.string({ unit: 'grapheme', minLength, maxLength: most })
  return minLength > 10 ? words : fc.oneof(words, fc.constantFrom(...DATES))
}

function objectOf(schema: Schema, components: Components): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one, components)])),
    // Safe: names of the same record.
    { requiredKeys: required as never[] },
  )
  if (typeof additionalProperties !== 'object') return named
  const key = propertyNames ? (fitting(propertyNames, components) as fc.Arbitrary<string>) : fc.string()
  const more = fc.dictionary(key, fitting(additionalProperties, components), { maxKeys: USUAL })
  return fc.tuple(named, more).map(([own, rest]) => ({ ...rest, ...own }))
}

/** Values that a schema accepts, as far as a schema can tell. */
export function fitting(schema: Schema, components: Components): fc.Arbitrary<unknown> {
  if (schema.$ref) return fitting(components[schema.$ref.split('/').at(-1) as string] as Schema, components)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((one) => fitting(one, components)))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  const { minimum: min = -1e6, maximum: max = 1e6, minItems: minLength = 0, maxItems = USUAL, items = {} } = schema
  switch (schema.type) {
    case 'string':
      return textOf(schema)
    case 'integer':
      return fc.oneof(fc.integer({ min, max: Math.min(max, min + 1_000) }), fc.integer({ min, max }))
    case 'number':
      return fc.double({ min, max, noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(fitting(items, components), {
        minLength,
        maxLength: Math.max(minLength, Math.min(maxItems, USUAL)),
      })
    case 'object':
      return objectOf(schema, components)
    default:
      return fc.jsonValue()
  }
}

/** Any JSON, odd texts and numbers at the edges among it. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom(null, true, 0, -1, 0.1, 1e308, Number.MAX_SAFE_INTEGER, -(2 ** 53), [], {}, [[]]),
  fc.jsonValue({ maxDepth: 2 }),
)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value with something wrong at a random place: a member gone, one too many, another type, an odd text. */
export function mutated(value: unknown): fc.Arbitrary<unknown> {
  const here: fc.Arbitrary<unknown>[] = [anything]
  if (Array.isArray(value)) {
    here.push(fc.constant([...value, ...value]))
    if (value.length > 0)
      here.push(
        inside(
          value.length,
          (at) => mutated(value[at]),
          (at, one) => value.with(at, one),
        ),
      )
  }
  if (isObject(value)) {
    const names = Object.keys(value)
    here.push(fc.tuple(oddText, anything).map(([name, one]) => ({ ...value, [name]: one })))
    if (names.length > 0) {
      const name = (at: number) => names[at] as string
      here.push(
        inside(
          names.length,
          (at) => mutated(value[name(at)]),
          (at, one) => ({ ...value, [name(at)]: one }),
        ),
      )
      here.push(fc.nat({ max: names.length - 1 }).map((at) => ({ ...value, [name(at)]: undefined })))
    }
  }
  return here.length === 1 ? anything : fc.oneof(...here.slice(1))
}

function inside(
  length: number,
  make: (at: number) => fc.Arbitrary<unknown>,
  put: (at: number, one: unknown) => unknown,
): fc.Arbitrary<unknown> {
  return fc.nat({ max: length - 1 }).chain((at) => make(at).map((one) => put(at, one)))
}
