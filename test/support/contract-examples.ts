// The examples of docs/contract.md: what each of them records and asks, read off the page. The page explains how they are written.

import type { z } from 'zod'
import { EVENTS, type EventType, isEventType } from '../../src/domain/admission/posted-event.ts'
import { REGISTER_STREAM } from '../../src/domain/event.ts'
import { isRegisterFact } from '../../src/domain/register/events.ts'

/** A member of an answer, by its dotted path, and the value that it has. */
type Expectation = { path: string; value: unknown }

export type ExampleStep =
  | { kind: 'today'; day: string }
  /** `refusal` is the word by which the event is refused; null where it is recorded. */
  | { kind: 'record'; line: string; event: ExampleEvent; refusal: string | null }
  | { kind: 'redact'; line: string; path: string; status: number }
  /** `refusal` is the word of the answer; null where members of it are expected. */
  | { kind: 'ask'; line: string; path: string; refusal: string | null; expected: Expectation[] }

/** An event of an example; `event` of a repair is a position, and stands in its stream. */
export type ExampleEvent = { stream: string; type: EventType; occurredOn: string; fields: Record<string, unknown> }

export type ContractExample = { heading: string; steps: ExampleStep[] }

/** The value of a word: JSON, or else the text as it stands. */
function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `path=value`; null where a word is none. */
function assignment(word: string): Expectation | null {
  const [, path, text] = /^([A-Za-z][\w.*]*)=(.+)$/.exec(word) ?? []
  return path === undefined || text === undefined ? null : { path, value: parsedOr(text) }
}

function assignments(words: readonly string[]): Expectation[] {
  return words.map((word) => {
    const found = assignment(word)
    if (!found) throw new Error(`expected name=value, not ${word}`)
    return found
  })
}

/** What an example leaves out of an event: a title and a reason, where its type needs them. */
export function leftOut(type: EventType): Record<string, string> {
  const { shape }: z.ZodObject = EVENTS[type].data
  const needed = (name: string) => !((shape[name] as z.ZodType | undefined)?.safeParse(undefined).success ?? true)
  return Object.fromEntries(['title', 'reason'].filter(needed).map((name) => [name, name]))
}

function eventOf(words: readonly string[]): ExampleEvent {
  const [, stream] = /^([a-z0-9-]+):$/.exec(words[0] ?? '') ?? []
  const [type = '', occurredOn = '', ...rest] = stream === undefined ? words : words.slice(1)
  if (!isEventType(type)) throw new Error(`there is no event type ${type}`)
  const fields = Object.fromEntries(assignments(rest).map(({ path, value }) => [path, value]))
  return { stream: stream ?? (isRegisterFact(type) ? REGISTER_STREAM : 'c'), type, occurredOn, fields }
}

function stepOf(line: string): ExampleStep {
  const [before = '', after] = line.split(' -> ')
  const words = before.split(/\s+/)
  const [first = '', second = ''] = words
  if (first === 'today') return { kind: 'today', day: second }
  if (first === 'POST') return { kind: 'redact', line, path: second, status: Number(after) }
  if (first !== 'GET') return { kind: 'record', line, event: eventOf(words), refusal: after ?? null }
  const answers = (after ?? '').split(/\s+/)
  const isRefused = answers.length === 1 && assignment(answers[0] ?? '') === null
  const [refusal, expected] = isRefused ? [answers[0] ?? '', []] : [null, assignments(answers)]
  return { kind: 'ask', line, path: second, refusal, expected }
}

/** The examples of a page, each with the heading under which it stands. */
export function examplesOf(page: string): ContractExample[] {
  return [...page.matchAll(/^```example\n([\s\S]*?)^```$/gm)].map(({ 1: text = '', index }) => {
    const headings = [...page.slice(0, index).matchAll(/^#+ (.*)$/gm)]
    // A line that is indented goes on with the one before it.
    const lines = text.trim().replaceAll(/\n +/g, ' ').split('\n')
    return { heading: headings.at(-1)?.[1] ?? '', steps: lines.map(stepOf) }
  })
}

/** What stands at a dotted path of an answer; `*` is every item of a list. */
export function memberAt(answer: unknown, path: string): unknown {
  const [key, ...rest] = path.split('.')
  if (key === undefined || key === '') return answer
  if (key === '*') return (answer as unknown[]).map((item) => memberAt(item, rest.join('.')))
  return memberAt((answer as Record<string, unknown> | null)?.[key], rest.join('.'))
}
