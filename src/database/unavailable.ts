// Which errors say that it is the database that is not there, or takes no work now: the same may succeed later.

/** Of the network: refused, broken, not answered, no way there. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])

/**
 * SQLSTATE classes (https://www.postgresql.org/docs/current/errcodes-appendix.html) of a database that is away. They
 * are connections, insufficient resources such as a full disk, shutting down and starting. Read-only: another server
 * took over. Idle in a transaction for too long: this process was stopped. The last are disks that fail.
 */
const SQLSTATES = /^(?:08...|53...|57P0[1235]|25006|25P03|58030)$/

/** pg tells these by message only. */
const MESSAGES =
  /^(?:Connection terminated|timeout e|Client (?:has encountered a connection error|was closed)|Cannot use a pool after|driver has already)/

/** True for errors that say that the database cannot be reached or takes no work now. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: string }
  if (typeof code === 'string' && (NETWORK.has(code) || SQLSTATES.test(code))) return true
  return MESSAGES.test(message ?? '')
}

const TOO_LONG = new Set(['57014', '55P03'])

/** True for errors that say that a statement was cancelled, or waited for a lock for too long (see bounds.ts). */
export function isTakingTooLong(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && TOO_LONG.has(code)
}
