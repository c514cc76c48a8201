// Every register with how far its projections and its seal have come; troubled ones first.

import { useState } from 'preact/hooks'
import type { CallerAnswer, ListAnswer, ProjectionAnswer, RegisterAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { formatNumber } from '../../format.ts'
import { go, useLocation, withParams } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { Badge, type Tone } from '../../parts/status.tsx'
import { useReady } from '../../ready.ts'
import { eventPath, pathOf } from '../../route.ts'
import { plural, seal, shell, operations as words } from '../../strings.ts'
import { Keys } from '../log/keys.tsx'
import { isSealTrouble, SealBadge, type Sealing } from '../log/sealing.tsx'
import { projectionWord } from './replays.ts'
import { mayOperate } from './rights.ts'

const PAGE = 50
/** Fewer are found by looking. */
const MANY = 8

const TONES: Record<ProjectionAnswer['status'], Tone> = {
  notStarted: 'warn',
  replaying: 'calm',
  progressing: 'calm',
  stuck: 'late',
  stopped: 'bad',
  caughtUp: 'good',
}

type State = {
  id: string
  title: string | null
  size: number | null
  projections: Map<string, ProjectionAnswer>
  sealing: Sealing | undefined
  isTroubled: boolean
}

function isTrouble({ status }: ProjectionAnswer): boolean {
  return status === 'stuck' || status === 'stopped'
}

/** The registers, those that somebody has to look at first. */
function statesOf(
  items: readonly ProjectionAnswer[],
  sealing: readonly Sealing[],
  registers: readonly RegisterAnswer[],
): State[] {
  const byId = new Map(registers.map((one) => [one.id, one]))
  const seals = new Map(sealing.map((one) => [one.register, one]))
  const ids = [...new Set([...items.map(({ register }) => register), ...seals.keys()])].sort()
  const projections = Map.groupBy(items, ({ register }) => register)
  const states = ids.map((id): State => {
    const [own, seal, register] = [projections.get(id) ?? [], seals.get(id), byId.get(id)]
    return {
      id,
      title: register?.title ?? null,
      size: register?.size ?? null,
      projections: new Map(own.map((one) => [one.projection, one])),
      sealing: seal,
      isTroubled: own.some(isTrouble) || (seal !== undefined && isSealTrouble(seal)),
    }
  })
  return [...states.filter(({ isTroubled }) => isTroubled), ...states.filter(({ isTroubled }) => !isTroubled)]
}

function Projection({ of }: { of: ProjectionAnswer | undefined }) {
  if (!of) return <span>{shell.none}</span>
  const { status, behindEvents, behindSeconds } = of
  return (
    <>
      <Badge tone={TONES[status]} title={words.statusHint[status]}>
        {words.status[status]}
      </Badge>
      {behindEvents > 0 && <span class="behind">{words.behind(behindEvents, behindSeconds)}</span>}
    </>
  )
}

function Exactly({ of }: { of: ProjectionAnswer }) {
  const { projection, register, status, size, behindEvents, behindSeconds, version, generation, building, stopped } = of
  return (
    <tr>
      <th scope="row">{projectionWord(projection)}</th>
      <td data-label={words.state}>
        {words.status[status]}{' '}
        {stopped && <Link href={eventPath(register, stopped.position)}>{words.stoppedAt(stopped.position)}</Link>}
      </td>
      <td data-label={words.read}>{plural(size, 'event')}</td>
      <td data-label={words.lag}>{behindEvents === 0 ? words.notBehind : words.behind(behindEvents, behindSeconds)}</td>
      <td data-label={words.version}>{version}</td>
      <td data-label={words.generation}>
        {generation ?? shell.none}
        {building !== null && <span class="behind">{words.building(building)}</span>}
      </td>
    </tr>
  )
}

function ExactTable({ state }: { state: State }) {
  return (
    <table class="exactly">
      <thead>
        <tr>
          {[words.projection, words.state, words.read, words.lag, words.version, words.generation].map((word) => (
            <th scope="col" key={word}>
              {word}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {[...state.projections.values()].map((one) => (
          <Exactly key={one.projection} of={one} />
        ))}
      </tbody>
    </table>
  )
}

type Begin = { mayBegin: boolean; begin: (register: string) => void; access: CallerAnswer | undefined }

function Details({ state, mayBegin, begin, access }: { state: State } & Begin) {
  const { id, sealing } = state
  return (
    <div class="ops-details">
      <ExactTable state={state} />
      {sealing && (
        <div>
          <h3>{words.sealed}</h3>
          <p class="facts">
            <span>{seal.size(sealing.size, Math.max(state.size ?? 0, sealing.size))}</span>
            <span>
              {seal.signed} <Instant at={sealing.signedAt} />
            </span>
            <Link href={pathOf(id, 'log')}>{seal.checkpoints}</Link>
          </p>
          {sealing.refused && <p class="action-failure">{sealing.refused}</p>}
        </div>
      )}
      <div>
        <h3>{seal.keys}</h3>
        <Keys register={id} />
      </div>
      {mayBegin && mayOperate(access, id) && (
        <button type="button" onClick={() => begin(id)}>
          {words.replayOf(id)} …
        </button>
      )}
    </div>
  )
}

function useOpen(): [ReadonlySet<string>, (id: string) => void] {
  const place = useLocation()
  const open = new Set(place.params.getAll('open'))
  const toggle = (id: string) => {
    const next = open.has(id) ? [...open].filter((one) => one !== id) : [...open, id]
    go(withParams(place, { open: next }), { replace: true })
  }
  return [open, toggle]
}

type RowProps = { state: State; names: readonly string[]; isOpen: boolean; toggle: () => void } & Begin

function Row({ state, names, isOpen, toggle, ...begin }: RowProps) {
  const { id, title, size, projections, sealing } = state
  const details = `details-${id}`
  return (
    <>
      <tr class={isOpen ? 'is-open' : undefined}>
        <th scope="row" class="register">
          <Link href={pathOf(id, 'log')}>{title ?? id}</Link>
          <span class="id">{id}</span>
        </th>
        <td class="number" data-label={words.events}>
          {size === null ? shell.none : formatNumber(size)}
        </td>
        {names.map((name) => (
          <td key={name} data-label={projectionWord(name)}>
            <Projection of={projections.get(name)} />
          </td>
        ))}
        <td data-label={words.sealed}>{sealing ? <SealBadge sealing={sealing} /> : shell.none}</td>
        <td class="toggle">
          <button
            type="button"
            class="quiet"
            aria-expanded={isOpen}
            aria-controls={isOpen ? details : undefined}
            aria-label={`${words.details}: ${id}`}
            onClick={toggle}
          >
            {words.details} <span aria-hidden="true">{isOpen ? '▴' : '▾'}</span>
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr class="details" id={details}>
          <td colSpan={names.length + 4}>
            <Details state={state} {...begin} />
          </td>
        </tr>
      )}
    </>
  )
}

function Table({ states, names, ...begin }: { states: readonly State[]; names: readonly string[] } & Begin) {
  const [open, toggle] = useOpen()
  return (
    <table class="ops-table">
      <caption class="hidden">{words.registers}</caption>
      <thead>
        <tr>
          <th scope="col">{words.register}</th>
          <th scope="col" class="number">
            {words.events}
          </th>
          {names.map((name) => (
            <th scope="col" key={name}>
              {projectionWord(name)}
            </th>
          ))}
          <th scope="col" class="seal">
            {words.sealed}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {states.map((state) => (
          <Row
            key={state.id}
            state={state}
            names={names}
            isOpen={open.has(state.id)}
            toggle={() => toggle(state.id)}
            {...begin}
          />
        ))}
      </tbody>
    </table>
  )
}

function Narrow() {
  const place = useLocation()
  const { params } = place
  return (
    <search class="ops-narrow">
      <label>
        <span class="hidden">{words.filter}</span>
        <input
          type="search"
          value={params.get('q') ?? ''}
          placeholder={words.filter}
          onInput={({ currentTarget }) => go(withParams(place, { q: currentTarget.value }), { replace: true })}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={params.has('troubled')}
          onChange={({ currentTarget }) => go(withParams(place, { troubled: currentTarget.checked ? 'true' : null }))}
        />
        {words.onlyTroubled}
      </label>
    </search>
  )
}

function narrowed(states: readonly State[], params: URLSearchParams): State[] {
  const text = (params.get('q') ?? '').toLowerCase()
  const isLike = ({ id, title }: State) => id.includes(text) || title?.toLowerCase().includes(text)
  return states.filter((state) => isLike(state) && (state.isTroubled || !params.has('troubled')))
}

type Props = { items: readonly ProjectionAnswer[]; names: readonly string[] } & Begin

export function RegisterStates({ items, names, ...begin }: Props) {
  const { params } = useLocation()
  const { ready } = useReady()
  const { data } = useResource<ListAnswer<RegisterAnswer>>('/v1/registers')
  const [count, setCount] = useState(PAGE)
  const all = statesOf(items, ready?.sealing ?? [], data?.items ?? [])
  const states = narrowed(all, params)
  return (
    <Panel title={words.registers} note={words.registersNote}>
      {(all.length > MANY || params.has('q') || params.has('troubled')) && <Narrow />}
      {states.length === 0 && <p class="empty">{all.length === 0 ? words.noRegisters : words.nothingLike}</p>}
      {states.length > 0 && <Table states={states.slice(0, count)} names={names} {...begin} />}
      {states.length > count && (
        <button type="button" onClick={() => setCount(count + PAGE)}>
          {shell.more}
        </button>
      )}
    </Panel>
  )
}
