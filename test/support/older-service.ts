// Loaded before everything else of a process (node --import): makes of it a service from before `StatusReaffirmed`, which so
// is an event of an unknown type to it.

import { COMMITMENT_EVENTS } from '../../src/domain/commitment/events.ts'

Reflect.deleteProperty(COMMITMENT_EVENTS, 'StatusReaffirmed')
