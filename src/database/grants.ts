// The rights of a service's and a sealer's role, table by table, and granting them. A role has no other right. A new
// table, or a new function with the owner's rights, needs an entry that says who may use it.

import { sql } from 'kysely'
import type { Database, Queryable } from './pool.ts'

export type RoleKind = 'service' | 'sealer'

const ROWS = 'select, insert, update, delete'

/** The rights to each table; a service also has those to the partitions of its tables. */
export const RIGHTS: Record<string, Partial<Record<RoleKind, string>>> = {
  // The log: appended to and redacted by functions alone. A sealer has no need to see what events say.
  register: { service: 'select', sealer: 'select' },
  event: { service: 'select', sealer: 'select (register, position, id, type, recorded_at, leaf)' },
  // The tree: a sealer alone writes it.
  tree: { service: 'select', sealer: 'select, insert, update' },
  tile: { service: 'select', sealer: 'select, insert, update' },
  signing_key: { service: 'select', sealer: 'select, insert, update' },
  signed_checkpoint: { service: 'select', sealer: 'select, insert' },
  // What can be built anew, or is forgotten after a day.
  commitment: { service: ROWS },
  idempotency_key: { service: ROWS },
  membership: { service: ROWS },
  membership_count: { service: ROWS },
  operation: { service: ROWS },
  period: { service: ROWS },
  projection_progress: { service: ROWS },
  replay: { service: ROWS },
  replay_part: { service: ROWS },
  tally: { service: ROWS },
  // Who may: only the owner gives it. A service that is taken over cannot let anybody in.
  token: { service: 'select, update (last_used_at)' },
  public_register: { service: 'select' },
  principal: { service: 'select, insert' },
  read_record: { service: 'insert (register, read_at, caller, method, route, address)' },
  // Whether the schema is that of this version.
  migration: { service: 'select', sealer: 'select' },
  migration_lock: {},
}

/** The functions that run with the owner's rights: a service alone calls them. */
const FUNCTIONS = [
  'append_events',
  'redact_event',
  'lock_register',
  'create_partition',
  'attach_partition',
  'drop_partition',
  'index_partition',
  'adopt_primary_key',
  'begin_filling',
  'end_filling',
]

/** A role that is granted to does not exist, or is not ours to grant to. */
export class GrantError extends Error {}

type Roles = Record<RoleKind, ReadonlySet<string>>

/** The roles that have been granted to before: who may append is a service, who may write tiles a sealer. */
async function grantedRoles(db: Queryable): Promise<Roles> {
  const { rows } = await sql<{ kind: RoleKind; role: string }>`
    select 'service' as kind, pg_get_userbyid(grantee) as role from pg_proc, aclexplode(proacl)
      where pronamespace = current_schema()::regnamespace and proname = 'append_events' and grantee not in (0, proowner)
    union
    select 'sealer', pg_get_userbyid(grantee) from pg_class, aclexplode(relacl)
      where oid = to_regclass('tile') and privilege_type = 'INSERT' and grantee not in (0, relowner)`.execute(db)
  const of = (kind: RoleKind) => new Set(rows.filter((row) => row.kind === kind).map(({ role }) => role))
  return { service: of('service'), sealer: of('sealer') }
}

/** The tables with their partitions, those that are being filled among them. */
async function withPartitions(db: Queryable, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and (relname = ${table} or pg_get_partkeydef(to_regclass(${table})) is not null and relname ~ ${`^${table}_g[0-9]+$`})
    order by relname`.execute(db)
  return rows.map(({ name }) => name)
}

async function grantTo(tx: Queryable, role: string, kinds: readonly RoleKind[]): Promise<void> {
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(tx)
  const [schema, to] = [sql.id(rows[0]?.schema ?? 'public'), sql.id(role)]
  await sql`revoke all on all tables in schema ${schema} from ${to}`.execute(tx)
  await sql`revoke all on all sequences in schema ${schema} from ${to}`.execute(tx)
  await sql`grant usage on schema ${schema} to ${to}`.execute(tx)
  for (const kind of kinds) {
    for (const [table, { [kind]: rights }] of Object.entries(RIGHTS)) {
      if (rights === undefined) continue
      for (const name of await withPartitions(tx, table))
        await sql`grant ${sql.raw(rights)} on ${sql.table(name)} to ${to}`.execute(tx)
    }
    if (kind !== 'service') continue
    await sql`grant usage on sequence generation_number to ${to}`.execute(tx)
    for (const name of FUNCTIONS) await sql`grant execute on function ${sql.id(name)} to ${to}`.execute(tx)
  }
}

const UNDEFINED_OBJECT = '42704'
const INSUFFICIENT_PRIVILEGE = '42501'

/** What cannot be granted, in a sentence; null for any other error. */
function refusal(error: unknown): GrantError | null {
  // Safe: whatever was thrown may have a code.
  const { code, message } = error as { code?: string; message?: string }
  if (code === UNDEFINED_OBJECT) return new GrantError(`${message}: create it first, with \`create role … login\``)
  if (code !== INSUFFICIENT_PRIVILEGE) return null
  return new GrantError(`${message}: grant with the role that owns the tables`)
}

/**
 * Grants roles exactly what they need, whatever they were granted here before, and again to all that had it: tables may
 * have been added since. Returns all of them, sorted. To be run by the owner. Throws GrantError.
 */
export async function grantRoles(
  db: Database,
  given: Partial<Record<RoleKind, string>>,
): Promise<Record<RoleKind, string[]>> {
  try {
    return await db.transaction().execute(async (tx) => {
      const granted = await grantedRoles(tx)
      const service = [...new Set([...granted.service, ...(given.service ? [given.service] : [])])].sort()
      const sealer = [...new Set([...granted.sealer, ...(given.sealer ? [given.sealer] : [])])].sort()
      for (const role of new Set([...service, ...sealer])) {
        const kinds = (['service', 'sealer'] as const).filter((kind) => ({ service, sealer })[kind].includes(role))
        await grantTo(tx, role, kinds)
      }
      return { service, sealer }
    })
  } catch (error) {
    throw refusal(error) ?? error
  }
}
