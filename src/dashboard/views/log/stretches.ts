// Lists that the API gives upwards by number, as the log and its checkpoints, read from their end: stretch by stretch.

import type { Failure } from '../../api.ts'

/** The items above `after`, up to and with `until`, in order; not whole: there are more of them below `until`. */
type Stretch<T> = { items: T[]; isWhole: boolean }
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

export type Reading<T> = {
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

const WIDER = 4

/** Reads further back, until as many more are there as make a page: in stretches that widen where little is found. */
export async function readOlder<T>(reading: Reading<T>, question: Question<T>, goesOn: () => boolean): Promise<void> {
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
export async function readNewer<T>(reading: Reading<T>, { read, numberOf, head }: Question<T>): Promise<void> {
  if (head === null) return
  const { items, isWhole } = await read(reading.up, head)
  const last = items.at(-1)
  reading.items = [...items.toReversed(), ...reading.items]
  reading.up = isWhole || !last ? head : numberOf(last)
  if (reading.isFollowing) reading.arrived += items.length
}

/** Nothing is read yet. */
export function begin<T>({ key, from, head }: Question<T>): Reading<T> {
  const up = Math.min(from ?? Number.POSITIVE_INFINITY, head ?? 0)
  return { key, items: [], up, down: up, isBusy: false, failure: null, isFollowing: from === null, arrived: 0 }
}
