// Importing: NDJSON, line by line, in batches in the order of the lines. A refused line is reported and the rest goes on;
// every line has its event's id, so an import that was cut off is simply run again.

import { type ParseIssue, type PostedEvent, parseLine } from '../domain/admission/posted-event.ts'
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

/** `length` counts the bytes of the line with its end. */
type Line = { number: number; bytes: Uint8Array | null; length: number }

/** The lines of a byte stream without their ends, as many at a time as a chunk completes; null for one that is too long. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let number = 1
  let parts: Uint8Array[] = []
  let length = 0
  const take = (): Line => {
    const bytes = length > MAX_LINE_BYTES ? null : parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts)
    const line = { number: number++, bytes, length: length + 1 }
    parts = []
    length = 0
    return line
  }
  const keep = (part: Uint8Array) => {
    length += part.length
    // What is too long is counted, not kept.
    if (length <= MAX_LINE_BYTES) parts.push(part)
  }
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, end))
      lines.push(take())
      from = end + 1
    }
    if (from < chunk.length) keep(chunk.subarray(from))
    yield lines
  }
  if (length > 0) yield [take()]
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

type ParsedLine = { line: number; event: PostedEvent } | { line: number; refusal: LineRefusal } | null

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

function parseOne({ number, bytes }: Line, parseJson: (text: string) => unknown): ParsedLine {
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

/** Lines that are written together, and how many bytes were read up to the last of them. */
type Batch = { events: { line: number; event: PostedEvent }[]; refusals: LineRefusal[]; bytes: number }

/**
 * Imports the lines of a stream into a register, opening it where the first line is its `RegisterOpened`. Memory does not
 * grow with the stream. Throws NoRegisterError before anything is recorded where there is no register to import into.
 */
export async function importLines(chunks: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportReport> {
  const report: ImportReport = { recorded: 0, alreadyRecorded: 0, refused: 0, refusals: [] }
  let batch: Omit<Batch, 'bytes'> = { events: [], refusals: [] }
  let bytes = 0
  let hasBegun = false
  let isOpen = false

  const write = async ({ events, refusals, bytes }: Batch) => {
    const groups = events.map(({ event }) => [event])
    const outcomes =
      groups.length > 0 ? await options.recorder.record(options.register, groups, options.recordedBy) : []
    for (const [index, [outcome]] of outcomes.entries()) {
      const item = events[index]
      if (!outcome || !item) continue
      const refused = refusalOf(outcome)
      if (refused) refusals.push(refusal(item.line, item.event.id ?? null, refused.word, refused.issues))
      else if (outcome.kind === 'recorded') report.recorded += 1
      else report.alreadyRecorded += 1
      isOpen ||= !refused
    }
    const isMissing = outcomes.some(([outcome]) => outcome?.kind === 'refused' && outcome.word === 'unknown-register')
    if (isMissing && !isOpen) throw new NoRegisterError(options.register, report.refusals[0] ?? null)
    report.refused += refusals.length
    refusals.sort((a, b) => a.line - b.line)
    report.refusals.push(...refusals.slice(0, MAX_REFUSALS - report.refusals.length))
    options.onProgress?.(report, bytes)
  }

  // While a batch is being written the next one is read and parsed, and no more than that.
  let writing = Promise.resolve()
  const flush = async () => {
    await writing
    hasBegun ||= batch.events.length > 0
    writing = write({ ...batch, bytes })
    // Where it fails, that is found when it is waited for.
    writing.catch(() => {})
    batch = { events: [], refusals: [] }
  }

  for await (const lines of linesOf(chunks)) {
    for (const line of lines) {
      bytes += line.length
      const parsed = parseOne(line, options.parseJson)
      if (!parsed) continue
      if ('refusal' in parsed) batch.refusals.push(parsed.refusal)
      else batch.events.push(parsed)
      if (batch.events.length === 1 && !hasBegun) {
        // The first event goes alone: where it shows that there is no register, nothing has been recorded.
        await flush()
        await writing
      } else if (batch.events.length + batch.refusals.length >= BATCH) await flush()
    }
  }
  await flush()
  await writing
  return report
}
