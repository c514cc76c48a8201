// A list from its end, for as long as a view shows it: further back where somebody asks for it, and what is new put in front.

import { useEffect, useRef, useState } from 'preact/hooks'
import { type Failure, isFailure } from '../../api.ts'
import { begin, type Question, type Reading, readNewer, readOlder } from './stretches.ts'

export type Backwards<T> = {
  items: readonly T[]
  /** Nothing is below. */
  isWhole: boolean
  isBusy: boolean
  /** Down to which number all are there, itself not looked at yet. */
  down: number
  /** How many numbers above are not looked at yet. */
  above: number
  failure: Failure | null
  arrived: number
  older: () => void
  newer: () => void
}

const AGAIN_MS = 5_000
/** So much that is new is no longer put in front: the list begins anew. */
const TOO_MUCH_NEW = 2_000

/** What the service may answer otherwise when it is asked once more. */
function isPassing(failure: Failure): boolean {
  return failure.kind === 'away' || failure.status >= 429
}

/** A list from its end; undefined until it is known where that is. */
export function useBackwards<T>(question: Question<T>): Backwards<T> | undefined {
  const kept = useRef<Reading<T> | null>(null)
  const asked = useRef(question)
  asked.current = question
  const [, again] = useState(0)
  useEffect(
    () => () => {
      kept.current = null
    },
    [],
  )

  const run = async (reading: Reading<T>, work: (goesOn: () => boolean) => Promise<void>) => {
    if (reading.isBusy) return
    const goesOn = () => {
      const isCurrent = kept.current === reading
      if (isCurrent) again((count) => count + 1)
      return isCurrent
    }
    Object.assign(reading, { isBusy: true, failure: null })
    try {
      if (goesOn()) await work(goesOn)
    } catch (error) {
      reading.failure = isFailure(error) ? error : { kind: 'away' }
    }
    reading.isBusy = false
    // What came while it was busy.
    if (goesOn() && reading.failure === null) follow(reading)
  }
  const older = (reading: Reading<T>) => void run(reading, (goesOn) => readOlder(reading, asked.current, goesOn))
  const isBehind = ({ isFollowing, up }: Reading<T>) => isFollowing && up < (asked.current.head ?? 0)
  const follow = (reading: Reading<T>) => {
    if (!isBehind(reading)) return
    void run(reading, async (goesOn) => {
      while (isBehind(reading) && goesOn()) await readNewer(reading, asked.current)
    })
  }

  const { key, head, first, page } = question
  const { current } = kept
  useEffect(() => {
    if (head === null) return
    const reading = kept.current
    const isTooMuch = reading?.isFollowing && head - reading.up > TOO_MUCH_NEW
    if (reading?.key === key && !isTooMuch) return follow(reading)
    kept.current = begin(asked.current)
    older(kept.current)
  }, [key, head])

  const failure = current?.failure ?? null
  useEffect(() => {
    if (!current || !failure || !isPassing(failure)) return
    const timer = setTimeout(() => (current.items.length < page ? older(current) : follow(current)), AGAIN_MS)
    return () => clearTimeout(timer)
  }, [failure])

  if (!current || current.key !== key) return undefined
  return {
    items: current.items,
    isWhole: current.down < first,
    isBusy: current.isBusy,
    down: current.down,
    above: Math.max(0, (head ?? 0) - current.up),
    failure,
    arrived: current.arrived,
    older: () => older(current),
    newer: () => void run(current, () => readNewer(current, asked.current)),
  }
}
