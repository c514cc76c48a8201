// The projection `tallies`: sums of the changes that `periods` has written, sealed epoch by epoch. Answers come from the
// seal nearest to the question and the changes between; a seal that is late makes them slower, never wrong.

import { talliesVersion, VERSIONS } from '../../kernel/projection-versions.ts'
import { readChanges } from '../periods/changes.ts'
import { readMemberships } from '../periods/memberships.ts'
import type { Projection } from '../run.ts'
import { partsIn } from './parts.ts'
import { Adder, EPOCH } from './project.ts'
import { sealSums } from './table.ts'

/** The projection that seals every `epoch` positions what a version of `periods` has written. */
export function sealedEvery(epoch: number, version: number = VERSIONS.periods): Projection {
  return {
    name: 'tallies',
    version: talliesVersion(version),
    follows: { name: 'periods', version, stepEnd: (from) => (Math.floor(from / epoch) + 1) * epoch },
    async apply(db, { register, size, generation, followed = generation }) {
      if (size % epoch !== 0) return
      const memberships = await readMemberships(db, register)
      const adder = new Adder((membership) => partsIn(memberships, membership))
      const { statuses, days } = await readChanges(db, { register, generation: followed }, size - epoch, size)
      for (const { numbers } of [statuses, days]) adder.add(numbers)
      await sealSums(db, { register, generation }, size / epoch - 1, adder.rows())
    },
  }
}

export const tallies = sealedEvery(EPOCH)
