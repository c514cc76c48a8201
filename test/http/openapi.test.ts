// The description of the API explains itself: openapi.json as it is generated, read as a generator of clients reads it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { EVENT_TYPES } from '../../src/domain/admission/posted-event.ts'
import { readExamples, withExamples } from '../../src/http/server/examples.ts'
import { PROBLEM_WORDS, problemStatus } from '../../src/kernel/problem-words.ts'

type Schema = {
  $ref?: string
  description?: string
  properties?: Record<string, Schema>
  oneOf?: Schema[]
  discriminator?: { propertyName: string; mapping: Record<string, string> }
}
type Media = { schema?: Schema; example?: unknown; examples?: Record<string, { value: { status: number } }> }
type Response = { $ref?: string; description: string; content?: Record<string, Media> }
type Operation = {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  parameters?: { name: string; description?: string }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Response>
}

const FILE = join(import.meta.dirname, '../../openapi/openapi.json')
const document = JSON.parse(readFileSync(FILE, 'utf8'))
const schemas = document.components.schemas as Record<string, Schema>
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
)

/** What a reference within the document leads to. */
function resolved<T extends { $ref?: string }>(value: T): T {
  if (value.$ref === undefined) return value
  return value.$ref
    .slice(2)
    .split('/')
    .reduce((found, step) => found[step], document)
}

function isJson(type: string): boolean {
  return /[/+]json$/.test(type)
}

const isText = (text: string | undefined) => text !== undefined && text.length > 1

t.test('an operation has an id of its own, a summary, a description and a tag', async (t) => {
  t.ok(operations.length > 35)
  for (const { name, operation } of operations) {
    t.ok([operation.operationId, operation.summary, operation.description].every(isText), `${name} has words`)
    t.match(operation.tags, [/^[a-z]+$/], `${name} has a tag`)
  }
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
})

/** The properties below a value that no words describe, by their paths. */
function undescribed(value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { properties = {} } = value as Schema
  const here = Object.entries(properties).flatMap(([name, property]) =>
    isText(property.description) || (property.$ref && isText(resolved(property).description)) ? [] : [`${at}.${name}`],
  )
  return [...here, ...Object.entries(value).flatMap(([key, below]) => undescribed(below, `${at}/${key}`))]
}

t.test('every parameter, every component and every property is described', async (t) => {
  const parameters = operations.flatMap(({ name, operation }) =>
    (operation.parameters ?? []).filter(({ description }) => !isText(description)).map((one) => `${name} ${one.name}`),
  )
  t.strictSame(parameters, [])
  t.strictSame(
    Object.keys(schemas).filter((name) => !isText(schemas[name]?.description)),
    [],
  )
  const bodies = operations.map(({ operation: { requestBody, responses } }) => ({ requestBody, responses }))
  const contents = JSON.parse(JSON.stringify(bodies), (key, value) => (key === 'example' ? undefined : value))
  t.strictSame([...undescribed(schemas, ''), ...undescribed(contents, 'body')], [])
})

const ajv = new Ajv2020({ strict: false, validateFormats: true })
addFormats.default(ajv)
ajv.addSchema({ ...document, $id: 'api' }, 'api')

const escaped = (step: string) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))

/** Why the schema at a place of the document refuses the example beside it; null where it takes it. */
function refusal(example: unknown, steps: readonly string[]): string | null {
  const validate = ajv.compile({ $ref: `api#/${[...steps, 'schema'].map(escaped).join('/')}` })
  return validate(example) ? null : ajv.errorsText(validate.errors)
}

t.test('every answer and every body in JSON has an example that its schema accepts', async (t) => {
  for (const { name, path, method, operation } of operations) {
    const answers = Object.entries(operation.responses)
      .filter(([status]) => status.startsWith('2'))
      .map(([status, { content }]) => ({ steps: ['responses', status], content }))
    for (const { steps, content = {} } of [
      ...answers,
      { steps: ['requestBody'], content: operation.requestBody?.content },
    ]) {
      for (const [type, { example }] of Object.entries(content).filter(([type]) => isJson(type))) {
        const what = `${name} ${steps.join(' ')} ${type}`
        t.not(example, undefined, `${what} has an example`)
        t.equal(refusal(example, ['paths', path, method, ...steps, 'content', type]), null, what)
      }
    }
  }
})

t.test('every refusal names its problems, with an example of each', async (t) => {
  for (const { name, operation } of operations) {
    const refusals = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400)
    t.ok(refusals.length > 0, `${name} can fail`)
    for (const [status, response] of refusals) {
      const { examples = {} } = resolved(response).content?.['application/problem+json'] ?? {}
      const words = PROBLEM_WORDS.filter((word) => word in examples)
      t.ok(words.length > 0 && words.length === Object.keys(examples).length, `${name} ${status} names its problems`)
      t.ok(
        words.every(
          (word) => problemStatus(word) === Number(status) && examples[word]?.value.status === Number(status),
        ),
        `${name} ${status} names problems of that status`,
      )
    }
  }
})

t.test('an event is told apart by its type, and each type is a component of its own', async (t) => {
  const { oneOf = [], discriminator } = schemas.PostedEventInput ?? {}
  const components = EVENT_TYPES.map((type) => [type, `#/components/schemas/${type}Input`])
  t.strictSame(discriminator, { propertyName: 'type', mapping: Object.fromEntries(components) })
  t.strictSame(
    oneOf.map(({ $ref }) => $ref),
    components.map(([, $ref]) => $ref),
  )
})

t.test('without the file of examples the description has none, and a service starts all the same', async (t) => {
  t.strictSame(readExamples('/nowhere/examples.json'), {})
  t.throws(() => readExamples(join(import.meta.dirname, 'openapi.test.ts')), SyntaxError)
  const paths = { '/': { get: { operationId: 'readPage', responses: { 200: { content: { 'text/html': {} } } } } } }
  t.strictSame(withExamples({ paths: structuredClone(paths) }, {}), { paths })
})
