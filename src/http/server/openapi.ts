// The description of the API (OpenAPI 3.1), made from the schemas of the routes, and the page at /docs that shows it.

import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { ProblemWord } from '../../kernel/problem-words.ts'
import { NDJSON_TYPE } from './body.ts'
import { DOCS_POLICY } from './browsers.ts'
import { type Examples, withExamples } from './examples.ts'
import { type NamedResponses, problemResponses, problemsOf } from './named-problems.ts'
import { pathParameters } from './path-parameters.ts'

const API = {
  info: {
    title: 'Pledger',
    version: '1',
    description:
      'A bitemporal, event-sourced register of commitments: what was promised, by whom, by when, what was delivered, and who says so.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  openapi: '3.1.0',
} as const

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description: 'A token (pledger token create) or a JWT of the identity provider; without access control none',
} as const

/** The names of the component schemas that a part of the document refers to. */
function referredTo(part: unknown): string[] {
  const names = JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)
  return [...names].map(([, name = '']) => name)
}

/** Drops component schemas that nothing refers to: every schema is registered both as input and as output. */
function withoutUnused<T extends object>(document: T): T {
  const { components, ...rest } = document as T & {
    components?: { schemas?: Record<string, unknown>; responses?: object }
  }
  const schemas = components?.schemas ?? {}
  const used = new Set<string>()
  const waiting = [...referredTo(rest), ...referredTo(components?.responses ?? null)]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name)) continue
    used.add(name)
    waiting.push(...referredTo(schemas[name] ?? null))
  }
  const kept = Object.entries(schemas).filter(([name]) => used.has(name))
  return { ...document, components: { ...components, schemas: Object.fromEntries(kept) } }
}

type Union = { oneOf?: { $ref?: string }[]; discriminator?: object }
type Member = { properties?: Record<string, { const?: unknown }> }

/** Says of a union of components that each have a `type` of their own how it tells them apart. */
function withDiscriminators<T extends { paths?: unknown; components?: object }>(document: T): T {
  const { schemas = {} } = (document.components ?? {}) as { schemas?: Record<string, Union & Member> }
  for (const schema of Object.values(schemas)) {
    const types = schema.oneOf?.map(({ $ref = '' }) => [
      schemas[$ref.split('/').at(-1) ?? '']?.properties?.type?.const,
      $ref,
    ])
    if (!types?.every(([type]) => typeof type === 'string')) continue
    schema.discriminator = { propertyName: 'type', mapping: Object.fromEntries(types) }
  }
  return document
}

type Operations = Record<string, Record<string, { requestBody?: { content?: Record<string, unknown> } }>>

/** Says of a body of lines that it is text: the schema of the route is that of its JSON. */
function withLines<T extends { paths?: unknown }>(document: T): T {
  for (const path of Object.values((document.paths ?? {}) as Operations)) {
    for (const { requestBody } of Object.values(path)) {
      if (!requestBody?.content?.[NDJSON_TYPE]) continue
      const description = 'A line is an event as posted, with its id, or as exported'
      requestBody.content[NDJSON_TYPE] = { schema: { type: 'string', description } }
    }
  }
  return document
}

type Named = Record<string, { parameters?: { in: string; name: string }[] }>

/** Gives the rest of a path, which the router calls `*`, a name that clients can be generated with. */
function withNamedRest<T extends { paths?: unknown }>(document: T): T {
  const paths = Object.entries((document.paths ?? {}) as Record<string, Named>).map(([path, operations]) => {
    for (const { parameters = [] } of Object.values(operations)) {
      for (const parameter of parameters) if (parameter.in === 'path' && parameter.name === '*') parameter.name = 'rest'
    }
    return [path.replace('{*}', '{rest}'), operations]
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

/**
 * Says of an operation what the parameters in its path are, what its caller has to be permitted, and with which problems it may
 * answer.
 */
const withRouteConfig: typeof jsonSchemaTransform = (given) => {
  const params = pathParameters(given.url)
  const { schema, url } = jsonSchemaTransform({ ...given, schema: { ...given.schema, ...(params && { params }) } })
  const { permission } = given.route.config ?? {}
  const security = permission === 'open' ? [] : [{ bearer: [] }, {}]
  const problems = problemsOf({ url: given.url, schema: given.schema, config: given.route.config })
  return { schema: { ...schema, security, 'x-permission': permission, 'x-problems': problems } as typeof schema, url }
}

type Refusing = Record<string, { responses?: object; 'x-problems'?: ProblemWord[] }>

/** Turns the problems that an operation names into its responses, which operations with the same problems share. */
function withProblems<T extends { paths?: unknown; components?: object }>(document: T): T {
  const responses: NamedResponses = {}
  for (const path of Object.values((document.paths ?? {}) as Record<string, Refusing>)) {
    for (const operation of Object.values(path)) {
      operation.responses = { ...operation.responses, ...problemResponses(operation['x-problems'] ?? [], responses) }
      delete operation['x-problems']
    }
  }
  return { ...document, components: { ...document.components, responses } }
}

type Answering = Record<string, { responses?: Record<string, { description?: string }> }>

/** Says of an answer that nothing else is said of at least what its status means. */
function withStatusTexts<T extends { paths?: unknown }>(document: T): T {
  for (const path of Object.values((document.paths ?? {}) as Record<string, Answering>)) {
    for (const [status, response] of Object.values(path).flatMap(({ responses }) => Object.entries(responses ?? {}))) {
      if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? ''
    }
  }
  return document
}

/** What is said of the routes together, in this order. */
const STEPS: readonly (<T extends { paths?: unknown; components?: object }>(document: T) => T)[] = [
  withDiscriminators,
  withLines,
  withProblems,
  withNamedRest,
  withStatusTexts,
  withoutUnused,
]

/** Describes every route that is registered after this, with these examples. */
export function describeRoutes(app: FastifyInstance, examples: Examples): void {
  app.register(swagger, {
    openapi: { ...API, components: { securitySchemes: { bearer: BEARER } } },
    transform: withRouteConfig,
    transformObject: (given) => {
      const document = STEPS.reduce((before, step) => step(before), jsonSchemaTransformObject(given))
      return withExamples(document, examples)
    },
  })
  app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY })
}

/** `/openapi.json`: the description itself. */
export function openapiRoute(app: FastifyInstance): void {
  const schema = {
    operationId: 'readDescription',
    summary: 'Read the description of the API',
    description: 'This document, as OpenAPI 3.1. The page at `/docs` shows it.',
    tags: ['description'],
  }
  app.get('/openapi.json', { config: { permission: 'open' }, schema }, async () => app.swagger())
}
