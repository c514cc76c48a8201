// “Verify this”: the steps that one or several events were checked by, each in words with its values.

import './verify.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { EventAnswer } from '../answers.ts'
import { type Failure, isFailure } from '../api.ts'
import { formatInstant } from '../format.ts'
import { failures, verify as words } from '../strings.ts'
import type { Asked, Step } from '../verify/event.ts'
import { keysOf, outcomeOf, type Verified, verifyEvent, verifyHistory } from '../verify/run.ts'
import { Panel } from './frame.tsx'
import { Badge, type Tone } from './status.tsx'

const TONES: Record<Step['outcome'], Tone> = { held: 'good', failed: 'bad', open: 'gone' }
const OVERALL: Record<ReturnType<typeof outcomeOf>, Tone> = { held: 'good', partly: 'warn', failed: 'bad' }

type Run = {
  isRunning: boolean
  of: number
  done: Verified[]
  history: Step | null
  failure: Failure | null
}

/** Anything but a refusal: an answer that is not what it should be. */
const UNREADABLE: Failure = {
  kind: 'problem',
  status: 200,
  word: 'unknown',
  title: words.unreadable,
  detail: null,
  members: {},
}

const NOTHING: Run = { isRunning: false, of: 0, done: [], history: null, failure: null }

function isSound({ steps }: Verified): boolean {
  return outcomeOf(steps) !== 'failed'
}

/** Checks events one after the other, all against the first one's checkpoint, then that checkpoint against what was seen. */
async function verifyAll(
  register: string,
  events: readonly EventAnswer[],
  asked: Asked,
  tell: (run: Partial<Run>) => void,
  isWanted: () => boolean,
): Promise<void> {
  const keys = await keysOf(register)
  const done: Verified[] = []
  for (const event of events) {
    if (!isWanted()) return
    done.push(await verifyEvent(register, event, keys, asked, done[0]?.head?.size))
    tell({ done: [...done] })
  }
  const head = done[0]?.head
  // What failed is not remembered as this register's log.
  if (head && done.every(isSound)) tell({ history: await verifyHistory(register, head) })
}

function useVerification(register: string, events: readonly EventAnswer[], asked: Asked): [Run, () => void] {
  const [run, setRun] = useState(NOTHING)
  const number = useRef(0)
  useEffect(
    () => () => {
      number.current += 1
    },
    [],
  )
  const start = () => {
    number.current += 1
    const mine = number.current
    const isWanted = () => mine === number.current
    const tell = (more: Partial<Run>) => isWanted() && setRun((before) => ({ ...before, ...more }))
    setRun({ ...NOTHING, isRunning: true, of: events.length })
    verifyAll(register, events, asked, tell, isWanted)
      .catch((error) => tell({ failure: isFailure(error) ? error : UNREADABLE }))
      .finally(() => tell({ isRunning: false }))
  }
  return [run, start]
}

function valueText(name: string, text: string): string {
  return name === 'seen' ? formatInstant(text) : text
}

function StepLine({ of: { step, outcome, values } }: { of: Step }) {
  return (
    <li class="step">
      <Badge tone={TONES[outcome]}>{words.outcomes[outcome]}</Badge>
      <div>
        <strong>{words.steps[step]}</strong> {words.words[step][outcome]}
        <details>
          <summary>{words.values}</summary>
          <dl class="values">
            {Object.entries(values).map(([name, value]) => (
              <div key={name}>
                <dt>{words.value[name] ?? name}</dt>
                <dd class="mono">{valueText(name, value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
    </li>
  )
}

function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol class="steps">
      {steps.map((step) => (
        <StepLine key={step.step} of={step} />
      ))}
    </ol>
  )
}

function Several({ done }: { done: readonly Verified[] }) {
  return (
    <ul class="verified">
      {done.map(({ position, steps }) => (
        <li key={position}>
          <details open={outcomeOf(steps) === 'failed'}>
            <summary>
              {words.event(position)}{' '}
              <Badge tone={OVERALL[outcomeOf(steps)]}>
                {outcomeOf(steps) === 'failed' ? words.outcomes.failed : words.outcomes.held}
              </Badge>
            </summary>
            <Steps steps={steps} />
          </details>
        </li>
      ))}
    </ul>
  )
}

function failureText(failure: Failure): string {
  if (failure.kind === 'away') return failures.away
  return failure.word === 'not-sealed' ? words.notSealed : (failure.detail ?? failure.title)
}

function Result({ run: { isRunning, of, done, history, failure } }: { run: Run }) {
  const all = [...done.flatMap(({ steps }) => steps), ...(history ? [history] : [])]
  const overall = outcomeOf(all)
  const isDone = !isRunning && failure === null
  return (
    <>
      <p class="verdict" role="status" data-outcome={isDone ? overall : undefined}>
        {isRunning && words.running(done.length, of)}
        {isDone && <Badge tone={OVERALL[overall]}>{words[overall]}</Badge>}
        {failure && `${words.unfinished} ${failureText(failure)}`}
      </p>
      {done.length === 1 && of === 1 ? <Steps steps={all} /> : <Several done={done} />}
      {of > 1 && history && <Steps steps={[history]} />}
      {isDone && <p class="note">{words.limits}</p>}
    </>
  )
}

type Props = { register: string; events: readonly EventAnswer[]; asked: Asked }

/** A panel with the button that verifies these events, and what came of it. */
export function Verify({ register, events, asked }: Props) {
  const [run, start] = useVerification(register, events, asked)
  const canVerify = globalThis.crypto?.subtle !== undefined
  const hasRun = run.of > 0
  return (
    <Panel title={words.title} note={words.note} class="verify">
      {canVerify ? (
        <button type="button" class={hasRun ? '' : 'primary'} disabled={run.isRunning} onClick={start}>
          {hasRun ? words.again : words.start(events.length)}
        </button>
      ) : (
        <p>{words.insecure}</p>
      )}
      {hasRun && <Result run={run} />}
    </Panel>
  )
}
