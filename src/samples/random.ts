// Numbers that look random and are the same on every machine: the synthetic register must be one register everywhere.

import { hash } from 'node:crypto'

/** A source of draws; each advances it. */
export type Random = {
  /** A whole number from `min` to `max`, both included. */
  int: (min: number, max: number) => number
  /** True with this probability. */
  chance: (probability: number) => boolean
  /** One of the list, which must not be empty. */
  pick: <T>(list: readonly T[]) => T
}

/** Draws that depend on the name alone. */
export function randomFrom(name: string): Random {
  const next = sfc32(hash('sha256', name, 'buffer'))
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    int,
    chance: (probability) => next() < probability,
    // Safe: the index lies within the list.
    pick: <T>(list: readonly T[]) => list[int(0, list.length - 1)] as T,
  }
}

/** Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, here seeded by a digest; numbers from 0 to below 1. */
function sfc32(seed: Buffer): () => number {
  let a = seed.readInt32LE(0)
  let b = seed.readInt32LE(4)
  let c = seed.readInt32LE(8)
  let counter = seed.readInt32LE(12)
  return () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
}
