// How far a register is sealed, and the checkpoints that say so, newest first.

import './seal.css'
import { useState } from 'preact/hooks'
import type { CheckpointAnswer, ListAnswer, RegisterAnswer } from '../../answers.ts'
import { askOnce } from '../../api.ts'
import { address } from '../../location.ts'
import { Copy, Verbatim } from '../../parts/copy.tsx'
import { Instant } from '../../parts/dates.tsx'
import { FailureNote, Loading, Panel } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { useReady } from '../../ready.ts'
import { pathOf } from '../../route.ts'
import { seal as words } from '../../strings.ts'
import { type Backwards, useBackwards } from './backwards.ts'
import { SealBadge, type Sealing } from './sealing.tsx'

const PAGE = 5
/** All of so many numbers can be checkpoints, and come in one answer. */
const LIMIT = 200

/** How far a register is sealed, as the service last said; undefined until it did. */
function useSealing(register: string): Sealing | undefined {
  return useReady().ready?.sealing.find((one) => one.register === register)
}

function useCheckpoints(register: string, sealedSize: number | null): Backwards<CheckpointAnswer> | undefined {
  const base = `/v1/registers/${register}/checkpoints`
  return useBackwards<CheckpointAnswer>({
    key: base,
    first: 1,
    head: sealedSize,
    from: null,
    numberOf: ({ size }) => size,
    page: PAGE,
    width: LIMIT,
    read: async (after, until) => {
      const page = await askOnce<ListAnswer<CheckpointAnswer>>(address(base, { after, limit: LIMIT }))
      const isPast = (page.items.at(-1)?.size ?? 0) >= until
      return { items: page.items.filter(({ size }) => size <= until), isWhole: page.next === null || isPast }
    },
  })
}

function SealPanel({ register, sealing }: { register: RegisterAnswer; sealing: Sealing | undefined }) {
  return (
    <Panel title={words.title}>
      {!sealing && <p class="empty">{words.unknown}</p>}
      {sealing && (
        <>
          <SealBadge sealing={sealing} />
          {sealing.refused !== null && (
            <p class="seal-refused">
              {sealing.refused}. {words.refusedHint}
            </p>
          )}
          <dl class="pairs">
            <dt>{words.upTo}</dt>
            <dd>{words.size(sealing.size, Math.max(register.size, sealing.size))}</dd>
            <dt>{words.signed}</dt>
            <dd>
              <Instant at={sealing.signedAt} />
            </dd>
          </dl>
        </>
      )}
    </Panel>
  )
}

function Checkpoint({ register, of }: { register: string; of: CheckpointAnswer }) {
  const { size, rootHash, signedAt, note } = of
  return (
    <li class="checkpoint">
      <div class="checkpoint-head">
        <strong>{words.checkpoint(size)}</strong>
        <span class="id">
          <Instant at={signedAt} />
        </span>
      </div>
      <div class="root">
        <span class="id">{words.root}</span> <Copy text={rootHash} what={words.root} />
        <code class="exact">{rootHash}</code>
      </div>
      <details>
        <summary>{words.note}</summary>
        <Verbatim text={note} what={words.noteOf(size)} />
      </details>
      <Link href={address(pathOf(register), { knownAt: size })}>{words.knownThen}</Link>
    </li>
  )
}

function CheckpointList({ register, list }: { register: string; list: Backwards<CheckpointAnswer> }) {
  const [count, setCount] = useState(PAGE)
  const isMore = list.items.length > count || !list.isWhole
  const showMore = () => {
    setCount(count + PAGE)
    if (list.items.length < count + PAGE) list.older()
  }
  return (
    <>
      {list.items.length === 0 && !list.isBusy && !list.failure && <p class="empty">{words.noCheckpoints}</p>}
      <ol class="checkpoints">
        {list.items.slice(0, count).map((one) => (
          <Checkpoint key={one.size} register={register} of={one} />
        ))}
      </ol>
      {list.failure && <FailureNote failure={list.failure} retry={list.older} />}
      {isMore && !list.failure && (
        <button type="button" disabled={list.isBusy} onClick={showMore}>
          {words.older}
        </button>
      )}
    </>
  )
}

export function Checkpoints({ register }: { register: RegisterAnswer }) {
  const sealing = useSealing(register.id)
  const { failure } = useReady()
  const list = useCheckpoints(register.id, sealing?.size ?? null)
  return (
    <>
      <SealPanel register={register} sealing={sealing} />
      <Panel title={words.checkpoints} note={words.checkpointsNote}>
        {!list && (failure && !sealing ? <FailureNote failure={failure} /> : <Loading />)}
        {list && <CheckpointList register={register.id} list={list} />}
      </Panel>
    </>
  )
}
