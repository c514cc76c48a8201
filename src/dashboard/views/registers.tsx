// The list of registers, each with its headline.

import type { CallerAnswer, ListAnswer, ReadyAnswer, RegisterAnswer, SummaryAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { formatNumber, formatPercent } from '../format.ts'
import { Instant } from '../parts/dates.tsx'
import { Shown, Title } from '../parts/frame.tsx'
import { Link } from '../parts/link.tsx'
import { Badge } from '../parts/status.tsx'
import { pathOf } from '../route.ts'
import { registers as words } from '../strings.ts'

type Share = { count: number; percent: number | null }

function Headline({ share, word }: { share: Share; word: string }) {
  return (
    <div class="mini">
      <dd>
        {formatPercent(share.percent)} <small>{formatNumber(share.count)}</small>
      </dd>
      <dt>{word}</dt>
    </div>
  )
}

/** The shares of a register as one bar: delivered, late, the rest. */
function ShareBar({ summary }: { summary: SummaryAnswer }) {
  const { inScope, delivered, late } = summary
  if (inScope === 0) return null
  const width = (count: number) => `${(100 * count) / inScope}`
  return (
    <svg class="share-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rest" width="100" height="4" />
      <rect class="delivered" width={width(delivered.count)} height="4" />
      <rect class="late" x={width(delivered.count)} width={width(late.count)} height="4" />
    </svg>
  )
}

function Sealed({ register, ready }: { register: RegisterAnswer; ready: ReadyAnswer | undefined }) {
  const sealing = ready?.sealing.find((one) => one.register === register.id)
  if (!sealing) return null
  if (sealing.refused)
    return (
      <Badge tone="bad" title={sealing.refused}>
        {words.notSealed}
      </Badge>
    )
  if (sealing.size === 0) return <Badge tone="warn">{words.notSealed}</Badge>
  if (sealing.size < register.size) return <Badge tone="warn">{words.unsealed(register.size - sealing.size)}</Badge>
  return (
    <Badge tone="good" title={words.sealedAt(sealing.size)}>
      {words.sealed}
    </Badge>
  )
}

function Card({ register, ready }: { register: RegisterAnswer; ready: ReadyAnswer | undefined }) {
  const { data } = useResource<SummaryAnswer>(`/v1/registers/${register.id}/summary`)
  return (
    <li class="register-card">
      <h2>
        <Link href={pathOf(register.id)}>{register.title}</Link>
      </h2>
      <p class="id">
        {register.id} <Sealed register={register} ready={ready} />
      </p>
      {data && (
        <>
          <ShareBar summary={data} />
          <dl class="minis">
            <div class="mini">
              <dd>{formatNumber(data.inScope)}</dd>
              <dt>{words.inScope}</dt>
            </div>
            <Headline share={data.delivered} word={words.delivered} />
            <Headline share={data.late} word={words.late} />
            <Headline share={data.disputed} word={words.disputed} />
          </dl>
        </>
      )}
      <p class="foot">
        {words.lastEvent} <Instant at={register.recordedAt} /> · {words.events(register.size)}
      </p>
    </li>
  )
}

export function Registers() {
  const resource = useResource<ListAnswer<RegisterAnswer>>('/v1/registers')
  const ready = useResource<ReadyAnswer>('/readyz').data
  const caller = useResource<CallerAnswer>('/v1/access').data
  const isUnknown = caller !== undefined && caller.control !== 'none' && caller.caller === null
  return (
    <>
      <Title lead={words.lead}>{words.title}</Title>
      <Shown of={resource}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="empty">{isUnknown ? words.emptyToOthers : words.empty}</p>
          ) : (
            <ul class="register-list">
              {items.map((register) => (
                <Card key={register.id} register={register} ready={ready} />
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  )
}
