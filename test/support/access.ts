// Access control as it is where nothing is configured, for tests of other things.

import { type Access, createAccess } from '../../src/access/access.ts'
import type { Database } from '../../src/database/pool.ts'

/** Everyone may do everything. */
export function noAccessControl(db: Database): Access {
  return createAccess(db, { mode: 'none', oidc: null, recordReads: false, now: Date.now, onError: () => {} })
}
