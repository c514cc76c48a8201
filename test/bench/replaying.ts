// A replay as the rows that compare replays measure it: `pledger replay` of one register, all projections, as a process of
// its own, from its start to its end.

import { perSecond } from './measure.ts'
import type { BareStage } from './stage.ts'

/** Replays all projections of a register of so many events; returns how many of them a second. */
export function replay({ run }: BareStage, register: string, size: number): Promise<number> {
  return perSecond(size, () => run(['src/main.ts', 'replay', '--register', register, '--drop-previous']))
}
