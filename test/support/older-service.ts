// Loaded before everything else of a process (node --import): makes of it a service from before `StatusReaffirmed`, which so
// is an event of an unknown type to it.

import { commitmentEventData } from '../../src/domain/commitment/events.ts'

Reflect.deleteProperty(commitmentEventData, 'StatusReaffirmed')
