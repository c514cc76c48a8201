// Lists that the API gives upwards by number, as the log and its checkpoints, read from their end: the newest first, further
// back where somebody asks for it, and what is new put in front of them.

import { useEffect, useRef, useState } from 'preact/hooks'
import { type Failure, isFailure } from '../../api.ts'

/** The items above `after`, up to and with `until`, in order; not whole: there are more of them below `until`. */
export type Stretch<T> = { items: T[]; isWhole: boolean }
type Read<T> = (after: number, until: number) => Promise<Stretch<T>>

export type Question<T> = {
  /** Tells questions apart: another one begins anew. */
  key: string
  /** The list is numbered from here on, */
  first: number
  /** up to here; null: not known yet. */
  head: number | null
  /** From where it is read; null: from its head, and what is new is added. */
  from: number | null
  read: Read<T>
  numberOf: (item: T) => number
  /** How many are read at once, at least. */
  page: number
  /** How many numbers are looked through for them at first. */
  width: number
}

type Reading<T> = {
  key: string
  /** Newest first: all that there are above `down`, up to and with `up`. */
  items: T[]
  up: number
  down: number
  isBusy: boolean
  failure: Failure | null
  /** What is new is added by itself; */
  isFollowing: boolean
  /** so many were since it was begun. */
  arrived: number
}

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

const WIDER = 4
const AGAIN_MS = 5_000
/** So much that is new is no longer put in front: the list begins anew. */
const TOO_MUCH_NEW = 2_000

/** Reads further back, until as many more are there as make a page: in stretches that widen where little is found. */
async function readOlder<T>(reading: Reading<T>, question: Question<T>, goesOn: () => boolean): Promise<void> {
  const { read, first, page, width } = question
  const wanted = reading.items.length + page
  let stretch = width
  while (reading.down >= first && reading.items.length < wanted && goesOn()) {
    const after = Math.max(first - 1, reading.down - stretch)
    const { items, isWhole } = await read(after, reading.down)
    if (!isWhole) {
      // The newest of them are wanted, and these are the oldest.
      stretch = Math.ceil(stretch / WIDER)
      continue
    }
    reading.items = [...reading.items, ...items.toReversed()]
    reading.down = after
    if (items.length < page / WIDER) stretch *= WIDER
  }
}

/** Reads what is above, or a page of it. */
async function readNewer<T>(reading: Reading<T>, { read, numberOf, head }: Question<T>): Promise<void> {
  if (head === null) return
  const { items, isWhole } = await read(reading.up, head)
  const last = items.at(-1)
  reading.items = [...items.toReversed(), ...reading.items]
  reading.up = isWhole || !last ? head : numberOf(last)
  if (reading.isFollowing) reading.arrived += items.length
}

function begin<T>({ key, from, head }: Question<T>): Reading<T> {
  const up = Math.min(from ?? Number.POSITIVE_INFINITY, head ?? 0)
  return { key, items: [], up, down: up, isBusy: false, failure: null, isFollowing: from === null, arrived: 0 }
}

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
