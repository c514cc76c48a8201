// What each writer of a storm records, as a function of the seed, the writer and the step: whoever takes over from a writer
// that was killed sends the very same request again.

import { hash } from 'node:crypto'
import { type Random, randomFrom } from '../../src/samples/random.ts'
import { type Posted, posted } from '../support/register.ts'

/** The register that most writers record to, and one that is left to a few. */
export const REGISTERS = ['storm', 'calm'] as const
export const SHARED = 12
const PROGRAMMES = ['p0', 'p1', 'p2', 'p3']
const THEMES = ['roads', 'rails', 'rivers', 'tariffs', 'schools']
/** How many requests one commitment takes. */
const STEPS = 8

export type Story = { seed: number; writer: number; writers: number }
/** A request. With a key its events have no ids: it is the key alone that keeps it from being recorded twice. */
export type Request = { register: string; key: string | null; events: Posted[] }

/** What is there before the storm: both registers, what they define, and the commitments that all writers report on. */
export function opening(register: string): { open: Record<string, unknown>; events: Posted[] } {
  const defined = PROGRAMMES.map((programme) =>
    posted('$register', 'ProgrammeDefined', '2025-01-01', { programme, title: programme }),
  )
  const shared = Array.from({ length: SHARED }, (_, index) =>
    posted(`shared-${index}`, 'CommitmentMade', '2025-01-02', {
      title: `Shared ${index}`,
      programme: PROGRAMMES[index % PROGRAMMES.length],
      themes: [THEMES[index % THEMES.length]],
      parties: ['A'],
      due: '2025-10-01',
    }),
  )
  const parties = ['A', 'B'].map((id) => ({ id, name: `Party ${id}` }))
  return { open: { id: register, title: register, parties, timeZone: 'Europe/Minsk' }, events: [...defined, ...shared] }
}

/** A writer's register: every fourth keeps to the calm one. */
function registerOf(writer: number): string {
  return writer % 4 === 3 ? REGISTERS[1] : REGISTERS[0]
}

function idOf({ seed, writer }: Story, step: number, index: number): string {
  const hex = hash('sha256', `${seed} ${writer} ${step} ${index}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const dayOfStep = (place: number) => `2025-${String(2 + place).padStart(2, '0')}-15`

/** A fact that is admitted whatever else was said about the commitment. */
function fact(random: Random, stream: string, place: number): Posted {
  const on = dayOfStep(place)
  const percent = random.int(0, 100)
  const later = `2025-${random.pick(['06', '09', '11'])}-${random.int(10, 28)}`
  return random.pick([
    posted(stream, 'ProgressReported', on, { percent, note: 'as reported' }),
    posted(stream, 'ForecastReported', on, { finish: later }),
    posted(stream, 'CommitmentRebaselined', on, { due: later, reason: 'more time was asked for' }),
    posted(stream, 'CommitmentAmended', on, { themes: [random.pick(THEMES)], reason: 'sorted anew' }),
    posted(stream, 'CommitmentAmended', on, { programme: random.pick(PROGRAMMES), reason: 'moved' }),
    posted(stream, 'StatusReported', on, { status: 'going on', means: random.pick(['onSchedule', 'late'] as const) }),
    posted(stream, 'StatusReaffirmed', on, { note: 'unchanged' }),
    posted(stream, 'DeliveryReported', on, {}),
    posted(stream, 'DeliveryDisputed', on, { reason: 'not seen there' }),
    posted(stream, 'MilestoneSet', on, { milestone: `m${percent}`, title: 'A step' }),
  ])
}

function made(random: Random, stream: string): Posted {
  return posted(stream, 'CommitmentMade', '2025-01-10', {
    title: `Promise ${stream}`,
    programme: random.pick(PROGRAMMES),
    themes: [random.pick(THEMES)],
    parties: [random.pick(['A', 'B'])],
    ...(random.chance(0.9) && { due: `2025-${random.pick(['05', '08', '12'])}-01` }),
  })
}

/** The events of a step, before they have ids and expected revisions, and whether a key stands for the ids. */
function eventsOf(story: Story, step: number): { events: Posted[]; isKeyed: boolean } {
  const random = randomFrom(`${story.seed} ${story.writer} ${step}`)
  const [own, place] = [`w${story.writer}-${Math.floor(step / STEPS)}`, step % STEPS]
  const shared = `shared-${random.int(0, SHARED - 1)}`
  if (place === 0)
    return { events: [made(random, own), ...(random.chance(0.3) ? [fact(random, own, 0)] : [])], isKeyed: false }
  if (place === STEPS - 1 && random.chance(0.3)) {
    const first = idOf(story, step - place, 1)
    const target = eventsOf(story, step - place).events.length > 1 ? first : null
    if (target) {
      const data = { event: target, reason: 'recorded in error' }
      return { events: [posted(own, 'EventRetracted', dayOfStep(place), data)], isKeyed: false }
    }
  }
  const kind = random.int(1, 40)
  if (kind === 1) {
    const source = { source: `S-${story.writer}-${step}`, title: 'A source' }
    return { events: [posted('$register', 'SourceAdded', '2025-01-03', source)], isKeyed: false }
  }
  if (kind <= 10) return { events: [fact(random, shared, place)], isKeyed: random.chance(0.3) }
  if (kind <= 16) {
    const several = [fact(random, own, place), fact(random, shared, place), fact(random, own, place)]
    return { events: several, isKeyed: random.chance(0.3) }
  }
  return { events: [fact(random, own, place)], isKeyed: random.chance(0.2) }
}

/** How many events a writer's own commitment holds before a step: nobody else records there. */
function ownRevision(story: Story, step: number, own: string): number {
  const first = step - (step % STEPS)
  const before = Array.from({ length: step - first }, (_, index) => eventsOf(story, first + index).events)
  return before.flat().filter(({ stream }) => stream === own).length
}

/** The request of a step. Events of a writer's own commitment expect the revision that they must find, for nobody else records there. */
export function requestOf(story: Story, step: number, withKeys: boolean): Request {
  const { events, isKeyed } = eventsOf(story, step)
  const own = `w${story.writer}-${Math.floor(step / STEPS)}`
  let revision = ownRevision(story, step, own)
  const complete = events.map((event, index) => ({
    ...event,
    ...(event.stream === own && { expectedRevision: revision++ }),
    ...(!(isKeyed && withKeys) && { id: idOf(story, step, index) }),
  }))
  const key = isKeyed && withKeys ? `key-${story.seed}-${story.writer}-${step}` : null
  return { register: registerOf(story.writer), key, events: complete }
}

/** The first step of the next commitment. */
export function nextCommitment(step: number): number {
  return step - (step % STEPS) + STEPS
}
