// A replay: how far it is, how fast, how long yet, and what became of it.

import { useEffect, useState } from 'preact/hooks'
import type { CallerAnswer, OperationAnswer } from '../../answers.ts'
import { refreshAll, useResource } from '../../api.ts'
import { go, useLocation, withParams } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FailureNote, Loading } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { Badge, type Tone } from '../../parts/status.tsx'
import { eventPath } from '../../route.ts'
import { operations as words } from '../../strings.ts'
import { useAction } from './action.ts'
import { ActionFailure } from './action-failure.tsx'
import { beginReplay, cancelReplay, focusReplay, hasEnded, nameOf, projectionWord } from './replays.ts'
import { mayOperate } from './rights.ts'

const QUICK_MS = 1_000
const SLOW_MS = 5_000

const TONES: Record<OperationAnswer['status'], Tone> = {
  pending: 'calm',
  running: 'calm',
  interrupted: 'warn',
  caughtUp: 'good',
  cancelled: 'gone',
  failed: 'bad',
}

function Pace({ of: { status, eventsPerSecond, secondsLeft } }: { of: OperationAnswer }) {
  if (status !== 'running') return null
  if (eventsPerSecond === null) return <span>{words.measuring}</span>
  return (
    <>
      <span>{words.rate(eventsPerSecond)}</span>
      {secondsLeft !== null && <span>{words.left(secondsLeft)}</span>}
    </>
  )
}

function Progress({ of }: { of: OperationAnswer }) {
  const { done, of: all, phase, status } = of
  const text = words.progress(done, all)
  return (
    <div class="progress">
      {/* An empty log is read as soon as it is begun. */}
      <progress max={Math.max(1, all)} value={all === 0 ? 1 : done} aria-label={words.underWay} aria-valuetext={text} />
      <p class="facts">
        <span>{text}</span>
        {status === 'running' && <span>{words.phase[phase]}</span>}
        <Pace of={of} />
      </p>
    </div>
  )
}

/** The meaning of its state, for the operator who decides what to do. */
function explain({ status, error }: OperationAnswer): string | null {
  switch (status) {
    case 'interrupted':
      return words.interrupted
    case 'caughtUp':
      return error === null ? words.doneDetail : null
    case 'cancelled':
      return words.cancelledDetail
    case 'failed':
      return words.failedDetail
    default:
      return null
  }
}

function Outcome({ of }: { of: OperationAnswer }) {
  const { error, register } = of
  const detail = explain(of)
  return (
    <>
      {error && (
        <p class="action-failure">
          {error.detail}
          {error.event !== null && register !== null && (
            <>
              {' '}
              <Link href={eventPath(register, error.event)}>{words.atEvent(error.event)}</Link>
            </>
          )}
        </p>
      )}
      {detail && <p>{detail}</p>}
    </>
  )
}

function ConfirmCancel({ operation, onClose }: { operation: OperationAnswer; onClose: () => void }) {
  const action = useAction()
  const cancel = async () => {
    await cancelReplay(operation.id)
    onClose()
    focusReplay()
  }
  return (
    <Dialog title={words.cancelTitle} onClose={onClose}>
      <p class="note">{words.cancelExplain}</p>
      <ActionFailure of={action} />
      <div class="dialog-foot">
        <button type="button" onClick={onClose}>
          {words.cancelNo}
        </button>
        <button type="button" class="primary" disabled={action.isBusy} onClick={() => action.run(cancel)}>
          {words.cancelYes}
        </button>
      </div>
    </Dialog>
  )
}

type Props = { operation: OperationAnswer; projections: readonly string[]; access: CallerAnswer | undefined }

function Dismiss() {
  const place = useLocation()
  return (
    <button
      type="button"
      onClick={() => {
        go(withParams(place, { operation: null }), { replace: true })
        focusReplay()
      }}
    >
      {words.dismiss}
    </button>
  )
}

function Actions({ operation, projections, access }: Props) {
  const action = useAction()
  const [isAsking, setAsking] = useState(false)
  const { status, register, maxRate, dropPrevious } = operation
  if (hasEnded(operation)) return <Dismiss />
  if (!mayOperate(access, register)) return <p class="id">{words.mayNotCancel}</p>
  const name = nameOf(operation.projections, projections)
  const goOn = async (projection: string) => void (await beginReplay({ projection, register, maxRate, dropPrevious }))
  return (
    <>
      {status === 'interrupted' && name !== null && (
        <button type="button" class="primary" disabled={action.isBusy} onClick={() => action.run(() => goOn(name))}>
          {words.goOn}
        </button>
      )}
      <button type="button" onClick={() => setAsking(true)}>
        {status === 'interrupted' ? words.giveUp : words.cancel}
      </button>
      <ActionFailure of={action} />
      {isAsking && <ConfirmCancel operation={operation} onClose={() => setAsking(false)} />}
    </>
  )
}

function optionsText({ maxRate, dropPrevious }: OperationAnswer): string {
  const rate = maxRate === null ? words.options.unbounded : words.options.maxRate(maxRate)
  return `${rate}, ${dropPrevious ? words.options.drop : words.options.keep}`
}

function Shown({ operation, projections, access }: Props) {
  const { status, register, startedAt, finishedAt } = operation
  return (
    <article class="operation">
      <div class="operation-head">
        <h3>{words.of(operation.projections.map(projectionWord), register)}</h3>
        <span role="status">
          <Badge tone={TONES[status]}>{words.operationStatus[status]}</Badge>
        </span>
      </div>
      {status !== 'cancelled' && <Progress of={operation} />}
      <Outcome of={operation} />
      <p class="facts id">
        <span>
          {words.started} <Instant at={startedAt} />
        </span>
        {finishedAt && (
          <span>
            {words.finished} <Instant at={finishedAt} />
          </span>
        )}
        <span>{optionsText(operation)}</span>
      </p>
      <div class="operation-actions">
        <Actions operation={operation} projections={projections} access={access} />
      </div>
    </article>
  )
}

type OperationProps = Omit<Props, 'operation'> & {
  id: string
  /** As the list of what has not ended has it; its own answer is newer. */
  listed: OperationAnswer | undefined
}

/** One operation, followed to its end. */
export function Operation({ id, listed, ...rest }: OperationProps) {
  const [everyMs, setEveryMs] = useState(QUICK_MS)
  const { data, failure } = useResource<OperationAnswer>(`/v1/operations/${encodeURIComponent(id)}`, everyMs)
  const operation = data ?? listed
  const isOver = operation !== undefined && hasEnded(operation)
  useEffect(() => {
    setEveryMs(isOver ? SLOW_MS : QUICK_MS)
    // What it has built is in use now: what is said of projections is to follow at once.
    if (isOver) refreshAll()
  }, [isOver])
  if (operation) return <Shown operation={operation} {...rest} />
  if (failure?.kind === 'problem' && failure.status === 404)
    return (
      <p class="operation-actions">
        {words.gone} <Dismiss />
      </p>
    )
  return failure ? <FailureNote failure={failure} /> : <Loading />
}
