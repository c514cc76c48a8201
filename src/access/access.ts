// Who a request comes from, and what everyone may read: the one answer to that, in whichever mode.

import type { Database } from '../database/pool.ts'
import { type Caller, LOCAL } from './grants.ts'
import { createOidc, type Oidc, type OidcSettings } from './oidc.ts'
import { namePrincipal } from './principals.ts'
import { createPublicRegisters, type PublicRegisters } from './public-registers.ts'
import { createReadRecord, type RecordRead } from './reads.ts'
import { createTokens, isToken } from './tokens.ts'

export type Mode = 'none' | 'tokens' | 'oidc'

export type Access = {
  mode: Mode
  /** Who has these credentials, as far as memory knows; undefined where they have to be looked up, null where nobody has. */
  peek: (credentials: string) => Caller | null | undefined
  /** Who has these credentials; null where nobody has. Throws KeysUnavailableError. */
  read: (credentials: string) => Promise<Caller | null>
  publicRegisters: PublicRegisters
  /** null: reads are not recorded. */
  recordRead: RecordRead | null
  stop: () => Promise<void>
}

export type AccessOptions = {
  mode: Mode
  oidc: OidcSettings | null
  recordReads: boolean
  now: () => number
  onError: (error: unknown) => void
}

/** Creates the access control of a service. */
export function createAccess(db: Database, { mode, oidc, recordReads, now, onError }: AccessOptions): Access {
  const publicRegisters = createPublicRegisters(db)
  const recordRead = recordReads ? createReadRecord(db) : null
  if (mode === 'none') {
    const local = async () => LOCAL
    return { mode, peek: () => LOCAL, read: local, publicRegisters, recordRead, stop: async () => {} }
  }
  const tokens = createTokens(db, now, onError)
  const named = (id: string, name: string) => {
    namePrincipal(db, { id, name }).catch(onError)
  }
  const provider: Oidc | null = oidc && createOidc(oidc, now, named)
  return {
    mode,
    // Machines have tokens of ours beside the people of a provider.
    peek: (text) => (isToken(text) || !provider ? tokens.peek(text) : provider.peek(text)),
    read: (text) => (isToken(text) || !provider ? tokens.read(text) : provider.read(text)),
    publicRegisters,
    recordRead,
    stop: tokens.stop,
  }
}
