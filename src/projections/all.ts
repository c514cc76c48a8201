import { commitments } from './commitments/projection.ts'
import type { Projection } from './run.ts'

/** Every projection that the runner keeps up with the log. */
export const PROJECTIONS: readonly Projection[] = [commitments]
