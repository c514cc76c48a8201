// docs/contract.md is held against the service: its examples are recorded and asked, its lists of words are complete, and what
// cites it finds what it cites.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EVENT_TYPES } from '../../src/domain/admission/posted-event.ts'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../../src/domain/axes.ts'
import { CONFLICT_KINDS } from '../../src/domain/conflict.ts'
import { FIGURE_NAMES } from '../../src/domain/figures.ts'
import { type ExampleEvent, type ExampleStep, examplesOf, leftOut, memberAt } from '../support/contract-examples.ts'
import { OPENED, uuid } from '../support/register.ts'
import { noon, type TestService, testService } from '../support/service.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/contract.md'), 'utf8')
/** The page without what is generated from schemas alone; the tables of events and figures hold the words of their entries. */
const worded = page.replaceAll(
  /<!-- generated:(event-fields|citation|problem-words) -->[\s\S]*?<!-- \/generated:\1 -->/g,
  '',
)
const TODAY = '2026-03-01'

/** A register that an example records in, with the id and the stream of each of its events by position. */
type ExampleRegister = { service: TestService; base: string; events: { id: string; stream: string }[] }

async function openRegister(service: TestService, name: string): Promise<ExampleRegister> {
  const base = `/v1/registers/${name}`
  await service.post('/v1/registers', { id: name, ...OPENED })
  const { status, body, text } = await service.get(`${base}/events/0`)
  if (status !== 200) throw new Error(text)
  return { service, base, events: [body] }
}

function bodyOf({ events }: ExampleRegister, { type, occurredOn, fields, stream }: ExampleEvent) {
  const { id: sameAs = events.length, expectedRevision, event: repaired, citations, ...data } = fields
  const id = events[sameAs as number]?.id ?? uuid(events.length)
  const target = events[repaired as number]
  const common = { id, stream: target?.stream ?? stream, type, occurredOn, expectedRevision }
  const filled = { ...leftOut(type), ...data, event: target?.id }
  // Of a correction the citations are part of its data.
  return type === 'EventCorrected'
    ? { ...common, data: { ...filled, citations } }
    : { ...common, data: filled, citations }
}

const wordOf = ({ type }: { type?: string }) => type?.replace('/problems/', '') ?? null

async function record(t: Test, register: ExampleRegister, step: ExampleStep & { kind: 'record' }): Promise<void> {
  const event = bodyOf(register, step.event)
  const { body } = await register.service.post(`${register.base}/events`, event)
  t.equal(wordOf(body), step.refusal, step.line)
  if (step.refusal === null) register.events.push(event)
}

async function redact(t: Test, register: ExampleRegister, step: ExampleStep & { kind: 'redact' }): Promise<void> {
  const { status, body } = await register.service.post(`${register.base}/${step.path}`, { reason: 'reason' })
  t.equal(status, step.status, step.line)
  register.events.push({ id: body.events[0].id, stream: '' })
}

async function ask(t: Test, register: ExampleRegister, step: ExampleStep & { kind: 'ask' }): Promise<void> {
  const { path, refusal, expected, line } = step
  // An answer is to know all that the example has recorded.
  const headers = { 'pledger-size': String(register.events.length) }
  const { body, status } = await register.service.get(`${register.base}/${path}`, headers)
  t.equal(status === 200 ? null : wordOf(body), refusal, line)
  const given = expected.map(({ path }) => ({ path, value: memberAt(body, path) }))
  t.strictSame(given, expected, line)
}

async function take(t: Test, register: ExampleRegister, step: ExampleStep): Promise<void> {
  switch (step.kind) {
    case 'today':
      register.service.clock.now = noon(step.day)
      return
    case 'record':
      return record(t, register, step)
    case 'redact':
      return redact(t, register, step)
    case 'ask':
      return ask(t, register, step)
  }
}

t.test('the service answers every example of the contract as the page says', async (t) => {
  const examples = examplesOf(page)
  t.ok(examples.length > 35, `${examples.length} examples`)
  const service = await testService(t)
  for (const [index, { heading, steps }] of examples.entries()) {
    await t.test(heading, async (t) => {
      const [first] = steps
      service.clock.now = noon(first?.kind === 'today' ? first.day : TODAY)
      const register = await openRegister(service, `example-${index}`)
      for (const step of steps) await take(t, register, step)
    })
  }
})

t.test('the page has its own words for every event type, figure, status and conflict', async (t) => {
  const words = [...EVENT_TYPES, ...FIGURE_NAMES, ...LIFECYCLES, ...SCHEDULES, ...VERIFICATIONS, ...CONFLICT_KINDS]
  t.strictSame(
    words.filter((word) => !worded.includes(`\`${word}\``)),
    [],
  )
})

/** The names by which the headings of a page are linked to, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

t.test('every link into the contract leads to a heading of it', async (t) => {
  const anchors = new Set(anchorsOf(page))
  const files = ['src', 'test', 'docs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|tsx|md)$/.test(name))
      .map((name) => join(folder, name)),
  )
  const cited = [...files, 'README.md', 'CONTRIBUTING.md'].flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const links = file === 'docs/contract.md' ? /\]\(#([a-z-]+)\)/g : /contract\.md#([a-z-]+)/g
    return [...text.matchAll(links)].map(({ 1: anchor = '' }) => ({ file, anchor }))
  })
  t.ok(cited.length > 20)
  t.strictSame(
    cited.filter(({ anchor }) => !anchors.has(anchor)),
    [],
  )
})
