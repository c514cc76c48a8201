import { commitments } from './commitments/projection.ts'
import type { Projection } from './core/projection.ts'
import { periods } from './periods/projection.ts'
import { tallies } from './tallies/projection.ts'

/** Every projection that the runner keeps up with the log. */
export const PROJECTIONS: readonly Projection[] = [commitments, periods, tallies]
