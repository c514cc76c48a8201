// Asks a service whatever can be asked and holds each answer against what openapi.json promises: a documented status and media
// type, a body that its schema accepts, a problem document where something is wrong, and nothing from 500 on.

import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import {
  type Document,
  type FuzzRequest,
  type Known,
  type Operation,
  requestsFor,
  withoutSharedResponses,
} from './requests.ts'

type FuzzAnswer = { status: number; headers: Record<string, unknown>; text: string }
export type Ask = (request: FuzzRequest) => Promise<FuzzAnswer>

type Fault = { request: FuzzRequest; status: number; text: string; why: string }
/** What was asked, by operation and status, and what was wrong. */
export type FuzzReport = { seed: number; requests: number; answers: Map<string, Map<number, number>>; faults: Fault[] }

export type FuzzOptions = {
  document: Document
  ask: Ask
  requests: number
  seed: number
  known: Known
  /** Told after each round; a round asks every operation a few times. */
  onRound?: (asked: number) => void
}

type Validate = (value: unknown) => string | null

/** Whether a value fits the schema at a place of the document. */
function createValidator(document: Document): (pointer: string) => Validate {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })
  addFormats.default(ajv)
  ajv.addSchema({ ...document, $id: 'api' }, 'api')
  const compiled = new Map<string, Validate>()
  return (pointer) => {
    const before = compiled.get(pointer)
    if (before) return before
    const validate = ajv.compile({ $ref: `api#${pointer}` })
    const made: Validate = (value) => (validate(value) ? null : ajv.errorsText(validate.errors))
    compiled.set(pointer, made)
    return made
  }
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))

type Target = { method: string; path: string; operation: Operation }
type Judge = (target: Target, answer: FuzzAnswer) => string | null

function isJson(type: string): boolean {
  return type === 'application/json' || type === 'application/problem+json' || type.endsWith('batch+json')
}

/** What is asked of a size that a register does not have is waited for, then refused: no fault, where a size can be asked for. */
function isBehind({ parameters = [] }: Operation, { status, text }: FuzzAnswer): boolean {
  return (
    status === 503 &&
    text.includes('"/problems/projection-behind"') &&
    parameters.some(({ name }) => name === 'minSize')
  )
}

/** Judges answers; null where nothing is wrong with one. */
function createJudge(document: Document): Judge {
  const validator = createValidator(document)
  return ({ method, path, operation }, answer) => {
    const { status, headers, text } = answer
    if (status >= 500 && !isBehind(operation, answer)) return 'a fault of the service'
    if (status === 304) return text === '' ? null : '304 with a body'
    const code = [String(status), `${Math.floor(status / 100)}XX`].find((one) => one in operation.responses)
    if (code === undefined) return 'the status is not documented'
    const type = String(headers['content-type'] ?? '').split(';')[0] as string
    const { content } = operation.responses[code] ?? {}
    if (status >= 400 && type !== 'application/problem+json') return `an error is told as ${type || 'nothing'}`
    if (!content) return null
    const media = content[type]
    if (!media) return `${type || 'nothing'} is not documented`
    if (!isJson(type) || !media.schema) return null
    const problem = status >= 400 && String(JSON.parse(text).type).split('/').at(-1)
    if (problem && media.examples && !(problem in media.examples)) return `${problem} is not documented`
    const pointer = ['', 'paths', escaped(path), method, 'responses', code, 'content', escaped(type), 'schema'].join(
      '/',
    )
    return validator(pointer)(JSON.parse(text))
  }
}

const KEPT = 200

function keep(pool: string[], values: readonly unknown[]): void {
  for (const value of values) if (typeof value === 'string' && !pool.includes(value)) pool.push(value)
  if (pool.length > KEPT) pool.splice(1, pool.length - KEPT)
}

/** Takes from an answer what can be asked for next. */
function learn(known: Known, { status, text, headers }: FuzzAnswer): void {
  if (status >= 300 || !String(headers['content-type']).startsWith('application/json')) return
  const body = JSON.parse(text)
  const events = Array.isArray(body.events) ? body.events : []
  keep(
    known.ids,
    events.map(({ id }: { id: unknown }) => id),
  )
  keep(
    known.positions,
    events.map(({ position }: { position?: unknown }) => String(position)),
  )
  keep(known.cursors, [body.next])
  if (typeof body.id === 'string' && 'phase' in body) keep(known.operations, [body.id])
  if (typeof body.size === 'number') keep(known.sizes, [String(body.size)])
}

const PER_ROUND = 8

/** Asks until so many requests were answered; in rounds, so that later ones can be about what earlier ones told. */
export async function fuzz({ document: given, ask, requests, seed, known, onRound }: FuzzOptions): Promise<FuzzReport> {
  const document = withoutSharedResponses(given)
  const targets = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Target => ({ method, path, operation })),
  )
  const judge = createJudge(document)
  const report: FuzzReport = { seed, requests: 0, answers: new Map(), faults: [] }
  for (let round = 0; report.requests < requests; round++) {
    for (const [index, target] of targets.entries()) {
      const sampled = { numRuns: PER_ROUND, seed: seed + round * targets.length + index }
      for (const request of fc.sample(requestsFor(target, known, document), sampled)) {
        if (report.requests >= requests) break
        const answer = await ask(request)
        report.requests += 1
        const name = `${target.method.toUpperCase()} ${target.path}`
        const counts = report.answers.get(name) ?? new Map<number, number>()
        report.answers.set(name, counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1))
        const why = judge(target, answer)
        if (why !== null) report.faults.push({ request, status: answer.status, text: answer.text.slice(0, 2_000), why })
        learn(known, answer)
      }
    }
    onRound?.(report.requests)
  }
  return report
}

/** The table of a report: how often each operation was answered with which status. */
export function fuzzTable({ answers }: FuzzReport): string {
  return [...answers]
    .map(([name, counts]) => {
      const told = [...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
      return `${name.padEnd(70)} ${told.join('  ')}`
    })
    .join('\n')
}
