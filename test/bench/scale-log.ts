// A register's log of any size, the same for a seed: what the stories of a tenth as many commitments and the register's own
// definitions amount to, in order of recording. Bodies, hashes and leaves are those that the service would have stored.

import { hash } from 'node:crypto'
import { type EventType, parseData, parseLine } from '../../src/domain/admission/posted-event.ts'
import { REGISTER_STREAM } from '../../src/domain/event.ts'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatDay } from '../../src/kernel/plain-date.ts'
import { type Random, randomFrom } from '../../src/samples/random.ts'
import {
  commitmentStory,
  DAY_MS,
  type Draft,
  LAST_ON,
  OPENED_ON,
  PARTIES,
  PROGRAMMES,
  recorderOf,
  SOURCES,
  timedId,
} from './scale-story.ts'

export type ScaleLog = { register: string; entries: readonly Entry[]; commitments: number; ownRevision: number }

/** An event in its place; data and citations as RFC 8785 text, which costs less memory than the values. */
export type Entry = Omit<Draft, 'data' | 'citations'> & { data: string; citations: string; revision: number }

/** Facts have a zone that is not UTC, as registers have. */
const TIME_ZONE = 'Europe/Minsk'
const CHECK_EVERY = 503

/** A log of exactly `size` events over a tenth as many commitments. Throws where a sample of them is not well-formed. */
export function scaleLog(register: string, size: number, seed: number): ScaleLog {
  const random = randomFrom(`scale ${seed} ${size}`)
  const definitions = registerEvents(random).slice(0, size)
  checkStory(definitions)
  const own = definitions.map(packed)
  const commitments = own.length < size ? Math.max(1, Math.floor(size / 10)) : 0
  const entries = [...own]
  for (const [index, wanted] of quotas(random, commitments, size - own.length).entries()) {
    const story = commitmentStory(random, index + 1, wanted)
    if (index % CHECK_EVERY === 0) checkStory(story)
    for (const draft of story) entries.push(packed(draft))
  }
  entries.sort((a, b) => a.at - b.at)
  return { register, entries: numbered(entries), commitments, ownRevision: own.length }
}

/** How many events each commitment has: 4 to 16 by weight, `total` together. */
function quotas(random: Random, commitments: number, total: number): number[] {
  const weights = Array.from({ length: commitments }, () => random.int(4, 16))
  const sum = weights.reduce((all, weight) => all + weight, 0)
  let weight = 0
  let given = 0
  return weights.map((own) => {
    weight += own
    const upTo = Math.floor((weight / sum) * total)
    const quota = upTo - given
    given = upTo
    return quota
  })
}

function packed({ id, data, citations, ...rest }: Draft): Entry {
  return {
    ...rest,
    id: flat(id),
    data: flat(canonicalJson(data)),
    citations: flat(canonicalJson(citations)),
    revision: 0,
  }
}

/** The same text in one piece: what was put together of pieces keeps them all in memory. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

function numbered(entries: Entry[]): Entry[] {
  const revisions = new Map<string, number>()
  for (const entry of entries) {
    entry.revision = (revisions.get(entry.stream) ?? 0) + 1
    revisions.set(entry.stream, entry.revision)
  }
  return entries
}

/** The register's own stream: what it defines when it opens, then amended scopes and reported figures over the years. */
function registerEvents(random: Random): Draft[] {
  const opened = OPENED_ON * DAY_MS
  const fact = (at: number, type: Draft['type'], data: Draft['data']): Draft => ({
    at,
    id: timedId(random, at),
    stream: REGISTER_STREAM,
    type,
    occurredOn: formatDay(Math.floor(at / DAY_MS)),
    data,
    citations: [],
  })
  const scope = () => ({ scope: { value: random.int(3_000, 9_000), unit: 'measures' } })
  const later = () => random.int((OPENED_ON + 400) * DAY_MS, LAST_ON * DAY_MS)
  const parties = PARTIES.map((id) => ({ id, name: `Party ${id}` }))
  const amended = PROGRAMMES.slice(0, 8).map((programme) => ({ programme, title: `Amended ${programme}`, ...scope() }))
  return [
    fact(opened, 'RegisterOpened', { title: 'A register at scale', parties, timeZone: TIME_ZONE }),
    ...SOURCES.map((source) => fact(opened + 1, 'SourceAdded', { source, title: `Made-up ${source}` })),
    ...PROGRAMMES.map((programme) => fact(opened + 2, 'ProgrammeDefined', { programme, title: programme, ...scope() })),
    ...amended.map((data) => fact(later(), 'ProgrammeDefined', data)),
    ...PROGRAMMES.slice(0, 12).map((programme) =>
      fact(later(), 'FigureReported', {
        programme,
        metric: 'measures behind schedule',
        figure: 'late',
        value: random.int(0, 900),
      }),
    ),
  ]
}

function checkStory(story: readonly Draft[]): void {
  const types = new Map(story.map(({ id, type }) => [id, type]))
  for (const draft of story) {
    checkDraft(draft)
    const { event, data } = draft.data as { event?: string; data?: unknown }
    if (draft.type === 'EventCorrected' && data) checkData(types.get(event ?? ''), data)
  }
}

function checkData(type: EventType | undefined, data: unknown): void {
  const parsed = type && parseData(type, 1, data, '/data')
  if (!parsed?.ok) throw new Error(`a made-up correction of ${type} is not well-formed: ${JSON.stringify(parsed)}`)
}

/** Throws where the service would not take the event as it is, its defaults filled. */
function checkDraft({ stream, type, occurredOn, data, citations, id }: Draft): void {
  const parsed = parseLine({ stream, type, occurredOn, data, citations, id })
  if (!parsed.ok) throw new Error(`a made-up ${type} is not well-formed: ${JSON.stringify(parsed.issues)}`)
  const stored = canonicalJson({ data: parsed.value.data, citations: parsed.value.citations })
  if (stored !== canonicalJson({ data, citations })) throw new Error(`a made-up ${type} lacks its defaults: ${stored}`)
}

/** The line of table `event` for COPY in text format, in the order of `EVENT_COLUMNS`. */
export function copyLine(register: string, entry: Entry, position: number): string {
  const { id, stream, revision, type, at, occurredOn, data, citations } = entry
  const recordedAt = new Date(at).toISOString()
  const recordedBy = recorderOf(id)
  const salt = hash('sha256', `salt of ${id}`, 'buffer')
  // Sorted as RFC 8785 sorts; what is in it is RFC 8785 text already.
  const body = `{"citations":${citations},"data":${data},"occurredOn":"${occurredOn}"}`
  const bodyHash = hash('sha256', Buffer.concat([salt, Buffer.from(body)]), 'buffer')
  const leaf =
    `{"bodyHash":"${bodyHash.toString('base64')}","id":"${id}","position":${position},"recordedAt":"${recordedAt}",` +
    `"recordedBy":"${recordedBy}","register":"${register}","revision":${revision},"stream":"${stream}",` +
    `"type":"${type}","typeVersion":1,"v":1}`
  const head = `${register}\t${position}\t${id}\t${stream}\t${revision}\t${type}\t1\t${recordedAt}\t${recordedBy}\t${occurredOn}`
  const hashes = `\\\\x${salt.toString('hex')}\t\\\\x${bodyHash.toString('hex')}\t\\\\x${Buffer.from(leaf).toString('hex')}`
  return `${head}\t${escaped(data)}\t${escaped(citations)}\t${hashes}\n`
}

export const EVENT_COLUMNS =
  'register, position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on, data, citations, salt, body_hash, leaf'

/** JSON has neither tab nor line break as such; its backslashes are COPY's escapes. */
function escaped(json: string): string {
  return json.includes('\\') ? json.replaceAll('\\', '\\\\') : json
}
