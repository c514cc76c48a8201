// A replay as the rows that compare replays measure it: `pledger replay` of one register, all projections, as a process of
// its own, from its start to its end. Without the digests, which tell what came out of it and are no part of it.

import { perSecond } from './measure.ts'
import { watchMemory } from './memory.ts'
import type { BareStage } from './stage.ts'

/** `peak` is the most memory that the process held, in MB; 0 where the system does not tell. */
export type Replayed = { rate: number; peak: number }

/** Replays all projections of a register of so many events; `rate` is how many of them in a second. */
export async function replay({ run }: BareStage, register: string, size: number): Promise<Replayed> {
  const args = ['src/main.ts', 'replay', '--register', register, '--drop-previous', '--no-compare']
  let end = () => 0
  const onStarted = (pid: number) => {
    end = watchMemory(pid)
  }
  try {
    return { rate: await perSecond(size, () => run(args, onStarted)), peak: end() }
  } finally {
    end()
  }
}
