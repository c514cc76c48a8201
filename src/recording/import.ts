// Importing: NDJSON, line by line, in batches in the order of the lines. A refused line is reported and the rest goes on; every
// line has its event's id, so an import that was cut off is simply run again.

import { type ParseIssue, type PostedEvent, parseLine } from '../domain/admission/posted-event.ts'
import { type Line, splitLines } from '../kernel/lines.ts'
import { type ProblemWord, problemTitle, problemType } from '../kernel/problem-words.ts'
import type { EventOutcome } from './admission.ts'
import type { Recorder } from './recorder.ts'

/** Why a line was refused: its number from 1, the id it gave, the type of the problem, where in the line, and a sentence. */
type LineRefusal = { line: number; id: string | null; type: string; pointer: string; detail: string }

export type ImportReport = {
  recorded: number
  alreadyRecorded: number
  refused: number
  /** The first 1,000. */
  refusals: LineRefusal[]
}

export type ImportOptions = {
  recorder: Recorder
  register: string
  recordedBy: string
  /** Parses a line; throws where it is not JSON. */
  parseJson: (text: string) => unknown
  /** Called after each batch, with the bytes of the lines read so far. */
  onProgress?: (report: ImportReport, bytes: number) => void
}

const MAX_REFUSALS = 1_000
const MAX_LINE_BYTES = 262_144
/** Lines of a batch, refused ones among them. */
const BATCH = 1_000

/** The register does not exist, and the first line does not open it; `refusal` is why, where it tried to. */
export class NoRegisterError extends Error {
  readonly refusal: LineRefusal | null

  constructor(register: string, refusal: LineRefusal | null) {
    const why = refusal ? `; line ${refusal.line} was refused: ${refusal.detail}` : ''
    super(`there is no register ${register}, and the first line does not open it (RegisterOpened)${why}`)
    this.refusal = refusal
  }
}

/** An import under way; `isOpen` once an event of it is in the log. */
type Import = { options: ImportOptions; report: ImportReport; isOpen: boolean }

/**
 * Imports the lines of a stream into a register, opening it where the first line is its `RegisterOpened`. Memory does not
 * grow with the stream. Throws NoRegisterError before anything is recorded where there is no register to import into.
 */
export async function importLines(chunks: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportReport> {
  const report: ImportReport = { recorded: 0, alreadyRecorded: 0, refused: 0, refusals: [] }
  const state: Import = { options, report, isOpen: false }
  // While a batch is being written the next one is read and parsed, and no more than that.
  let writing = Promise.resolve()
  for await (const batch of batchesOf(chunks, options.parseJson)) {
    await writing
    writing = writeBatch(state, batch)
    // Where it fails, that is found when it is waited for.
    writing.catch(() => {})
    if (batch.isFirst) await writing
  }
  await writing
  return report
}

/** Lines that are written together, and how many bytes were read up to the last of them. */
type LineBatch = {
  events: { line: number; event: PostedEvent }[]
  refusals: LineRefusal[]
  bytes: number
  /** It ends with the first event: where that shows that there is no register, nothing has been recorded. */
  isFirst: boolean
}

/** The lines of a stream in batches; the last one may hold none. */
async function* batchesOf(
  chunks: AsyncIterable<Uint8Array>,
  parseJson: ImportOptions['parseJson'],
): AsyncGenerator<LineBatch> {
  const empty = (isFirst: boolean, bytes: number): LineBatch => ({ events: [], refusals: [], bytes, isFirst })
  let number = 0
  let batch = empty(true, 0)
  for await (const lines of splitLines(chunks, MAX_LINE_BYTES)) {
    for (const line of lines) {
      number += 1
      batch.bytes += line.length
      const parsed = parseOne(number, line, parseJson)
      if (!parsed) continue
      if ('refusal' in parsed) batch.refusals.push(parsed.refusal)
      else batch.events.push(parsed)
      const { events, refusals, bytes, isFirst } = batch
      if ((isFirst && events.length === 1) || events.length + refusals.length >= BATCH) {
        yield batch
        batch = empty(isFirst && events.length === 0, bytes)
      }
    }
  }
  yield batch
}

/** Records the events of a batch, each a group of its own, and adds to the report what became of its lines. */
async function writeBatch(state: Import, { events, refusals, bytes }: LineBatch): Promise<void> {
  const { report, options } = state
  const { recorder, register, recordedBy } = options
  const groups = events.map(({ event }) => [event])
  const outcomes = groups.length > 0 ? await recorder.record(register, groups, recordedBy) : []
  for (const [index, [outcome]] of outcomes.entries()) {
    const item = events[index]
    if (!outcome || !item) continue
    const refused = refusalOf(outcome)
    if (refused) refusals.push(refusal(item.line, item.event.id ?? null, refused.word, refused.issues))
    else if (outcome.kind === 'recorded') report.recorded += 1
    else report.alreadyRecorded += 1
    state.isOpen ||= !refused
  }
  const isMissing = outcomes.some(([outcome]) => outcome?.kind === 'refused' && outcome.word === 'unknown-register')
  if (isMissing && !state.isOpen) throw new NoRegisterError(register, report.refusals[0] ?? null)
  report.refused += refusals.length
  refusals.sort((a, b) => a.line - b.line)
  report.refusals.push(...refusals.slice(0, MAX_REFUSALS - report.refusals.length))
  options.onProgress?.(report, bytes)
}

/** The word and the issues of an outcome that is a refusal; null where the event is in the log. */
function refusalOf(outcome: EventOutcome): { word: ProblemWord; issues: readonly ParseIssue[] } | null {
  switch (outcome.kind) {
    case 'recorded':
    case 'alreadyRecorded':
      return null
    case 'refused':
      return outcome
    case 'revisionConflict': {
      const detail = `expected revision ${outcome.expected}, the stream is at ${outcome.actual}`
      return { word: 'revision-conflict', issues: [{ pointer: '/expectedRevision', detail }] }
    }
    case 'skipped':
      return { word: 'internal', issues: [] }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function refusal(line: number, id: string | null, word: ProblemWord, issues: readonly ParseIssue[]): LineRefusal {
  const { pointer, detail } = issues[0] ?? { pointer: '', detail: problemTitle(word) }
  return { line, id, type: problemType(word), pointer, detail }
}

function idOf(body: unknown): string | null {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : null
  return typeof id === 'string' ? id.slice(0, 100) : null
}

type Exported = { [field in 'salt' | 'occurredOn' | 'citations' | 'type' | 'recordedAt' | 'data']?: unknown }

/** True for an event as it is exported once it was redacted. */
function isBlank(body: unknown): body is Exported {
  const { salt, occurredOn, citations } = (body ?? {}) as Exported
  return salt === null && occurredOn === null && citations === null
}

const ERASED_REASON = 'the reason was erased before this was imported'

/**
 * What is left of a redacted retraction, as one that can be recorded: what it takes back stays taken back in the copy. It
 * happened by the day on which it was recorded; more of that is not known. Null for any other blank: it says nothing.
 */
function retractionLeft(blank: Exported): unknown {
  const { event } = (blank.data ?? {}) as { event?: unknown }
  if (blank.type !== 'EventRetracted' || event === undefined || typeof blank.recordedAt !== 'string') return null
  const occurredOn = `../${blank.recordedAt.slice(0, 10)}`
  return { ...blank, occurredOn, data: { event, reason: ERASED_REASON }, citations: [] }
}

const BLANK = 'its content was erased: there is nothing to record, and lines that rest on it are refused as well'
const REDACTION =
  'a redaction is not imported: what it names comes without its content. Where this register holds that, redact it here: ' +
  'POST …/events/{position}/redact'

type ParsedLine = { line: number; event: PostedEvent } | { line: number; refusal: LineRefusal } | null

/** The event of a line, or why it is refused; null for a blank line. */
function parseOne(number: number, { bytes }: Line, parseJson: ImportOptions['parseJson']): ParsedLine {
  const refuse = (id: string | null, word: ProblemWord, issues: readonly ParseIssue[]) => ({
    line: number,
    refusal: refusal(number, id, word, issues),
  })
  if (bytes === null) {
    return refuse(null, 'too-large', [{ pointer: '', detail: `a line has at most ${MAX_LINE_BYTES} bytes` }])
  }
  let body: unknown
  try {
    const text = utf8.decode(bytes)
    if (text.trim() === '') return null
    body = parseJson(text)
  } catch (error) {
    return refuse(null, 'malformed', [{ pointer: '', detail: (error as Error).message }])
  }
  const left = isBlank(body) ? retractionLeft(body) : body
  if (left === null && isBlank(body)) return refuse(idOf(body), 'redacted', [{ pointer: '/data', detail: BLANK }])
  const parsed = parseLine(left)
  if (parsed.ok && parsed.value.type === 'EventRedacted') {
    return refuse(parsed.value.id, 'not-available', [{ pointer: '/type', detail: REDACTION }])
  }
  return parsed.ok ? { line: number, event: parsed.value } : refuse(idOf(body), 'invalid-body', parsed.issues)
}
