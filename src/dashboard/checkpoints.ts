// The checkpoints of a register, which the service lists upwards by size: the last ones, and those next to a size.

import type { CheckpointAnswer, ListAnswer } from './answers.ts'
import { askOnce } from './api.ts'
import { address } from './location.ts'
import { newest } from './newest.ts'

function read(register: string, after: number, limit: number): Promise<ListAnswer<CheckpointAnswer>> {
  return askOnce(address(`/v1/registers/${register}/checkpoints`, { after, limit }))
}

/** The newest checkpoints up to a size, newest first: `wanted` of them, or all where there are no more. Throws Failure. */
export function newestCheckpoints(register: string, upTo: number, wanted: number): Promise<CheckpointAnswer[]> {
  const page = async (after: number) => {
    const { items, next } = await read(register, after, 1_000)
    return { items, next: next === null ? null : Number(next) }
  }
  return newest(page, ({ size }) => size, upTo, wanted)
}

/** The size of the checkpoint before or after a size; null where there is none. Throws Failure. */
export async function nextCheckpoint(register: string, size: number, direction: 1 | -1): Promise<number | null> {
  const items = direction === 1 ? (await read(register, size, 1)).items : await newestCheckpoints(register, size - 1, 1)
  return items[0]?.size ?? null
}
