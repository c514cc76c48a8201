// Whether what is recorded is safe from the role that a process connects as, and from the settings of its server. Asks the
// catalogue and changes nothing.

import { sql } from 'kysely'
import type { Queryable } from './pool.ts'

/** What is wrong, and what mends it; both for people. */
export type Finding = { what: string; mend: string }

/** Rights to tables of the log, its tree and of who may do what, that nobody but their owner needs. */
const HARMFUL: Record<string, readonly string[]> = {
  event: ['update', 'delete', 'truncate', 'trigger'],
  register: ['update', 'delete', 'truncate', 'trigger'],
  tree: ['delete', 'truncate', 'trigger'],
  tile: ['delete', 'truncate', 'trigger'],
  signing_key: ['delete', 'truncate', 'trigger'],
  signed_checkpoint: ['update', 'delete', 'truncate', 'trigger'],
  token: ['insert', 'delete', 'truncate', 'trigger'],
  public_register: ['insert', 'update', 'delete', 'truncate', 'trigger'],
  read_record: ['update', 'delete', 'truncate', 'trigger'],
}

/** The triggers that guard the tables against every writer. */
const GUARDS: Record<string, readonly string[]> = {
  event: ['event_append_only', 'event_only_blanked'],
  register: ['register_stays'],
  tree: ['tree_stays'],
  tile: ['tile_grows', 'tile_stays'],
  signing_key: ['signing_key_stays'],
  signed_checkpoint: ['signed_checkpoint_stays'],
  read_record: ['read_record_stays'],
}

/** Roles whose members reach the files of the server, and through them everything. */
const REACH_FILES = ['pg_execute_server_program', 'pg_write_server_files']

/** The roles that a role is, or may become. */
const reached = (role: string) => sql`(select r.* from pg_roles r where pg_has_role(${role}, r.oid, 'MEMBER'))`

type Row = { kind: string; object: string; via: string }

/** What a role may do by its rights or those of roles that it may become; what an owner may do goes without saying. */
async function rightsOf(db: Queryable, role: string): Promise<Row[]> {
  const pairs = Object.entries(HARMFUL).flatMap(([table, rights]) => rights.map((right) => ({ table, right })))
  const { rows } = await sql<Row>`
    with reached as ${reached(role)}, harmful as (
      select c.*, right_to from unnest(${pairs.map(({ table }) => table)}::text[], ${pairs.map(({ right }) => right)}::text[])
        h (name, right_to) join pg_class c on c.oid = to_regclass(h.name)
    )
    select 'owns' as kind, c.relname as object, r.rolname as via from (select distinct relname, relowner from harmful) c
      join reached r on r.oid = c.relowner
    union all
    select 'owns the function', proname, r.rolname from pg_proc join reached r on r.oid = proowner
      where pronamespace = current_schema()::regnamespace and prosecdef
    union all
    select right_to, h.relname, r.rolname from harmful h cross join reached r
      where not pg_has_role(r.oid, h.relowner, 'MEMBER') and case
        when right_to in ('delete', 'truncate', 'trigger') then has_table_privilege(r.oid, h.oid, right_to)
        else has_any_column_privilege(r.oid, h.oid, right_to) end
    union all
    select 'owns the schema', nspname, r.rolname from pg_namespace join reached r on r.oid = nspowner
      where nspname = current_schema()
    union all
    select 'owns the database', datname, r.rolname from pg_database join reached r on r.oid = datdba
      where datname = current_database()
    union all
    select 'create', nspname, r.rolname from pg_namespace cross join reached r
      where nspname = current_schema() and not pg_has_role(r.oid, nspowner, 'MEMBER')
        and has_schema_privilege(r.oid, pg_namespace.oid, 'create')
    union all
    select 'switch triggers', '', r.rolname from reached r
      where has_parameter_privilege(r.oid, 'session_replication_role', 'set')
    union all
    select 'reach files', r.rolname, r.rolname from reached r where r.rolname = any(${REACH_FILES}::text[])
    union all
    select 'create roles', '', r.rolname from reached r where r.rolcreaterole
    union all
    select 'bypass', '', r.rolname from reached r where r.rolbypassrls`.execute(db)
  return rows
}

/** Finding and mending of what a role may do. `via` is the role that has the right. */
function describe(role: string, { kind, object, via }: Row): Finding {
  const who = via === role ? `the role ${role}` : `the role ${role}, as a member of ${via},`
  const leave = via === role ? null : `revoke ${via} from ${role}`
  const otherwise = (mend: string) => (leave === null ? mend : `${leave}, or ${mend}`)
  const another = 'connect as a role that an owner has granted to by pledger migrate --grant-service'
  switch (kind) {
    case 'owns':
      return {
        what: `${who} owns the table ${object}, and so may change it and switch its guards off`,
        mend: leave ?? another,
      }
    case 'owns the function':
      return { what: `${who} owns the function ${object}, and so may replace it`, mend: leave ?? another }
    case 'owns the schema':
    case 'owns the database':
      return { what: `${who} ${kind} ${object}, and so may drop every table`, mend: leave ?? another }
    case 'create':
      return {
        what: `${who} may create objects in the schema ${object}, which the owner's functions would find`,
        mend: `revoke create on schema ${object} from ${via}, public`,
      }
    case 'switch triggers':
      return {
        what: `${who} may set session_replication_role`,
        mend: `revoke set on parameter session_replication_role from ${via}`,
      }
    case 'reach files':
      return {
        what: `the role ${role} is a member of ${object}, and so reaches the files of the server`,
        mend: leave ?? another,
      }
    case 'create roles':
      return {
        what: `${who} may create roles and grant memberships`,
        mend: otherwise(`alter role ${via} nocreaterole`),
      }
    case 'bypass':
      return { what: `${who} bypasses row security`, mend: otherwise(`alter role ${via} nobypassrls`) }
    default:
      return {
        what: `${who} may ${kind} ${object}`,
        mend: otherwise(`revoke ${kind} on ${object} from ${via}, public`),
      }
  }
}

/** What a role could do to what is recorded. A superuser can do everything: nothing more is said of one. */
export async function roleFindings(db: Queryable, role: string): Promise<Finding[]> {
  const { rows } = await sql<{ via: string }>`select rolname as via from ${reached(role)} r where rolsuper
    order by rolname <> ${role}, rolname limit 1`.execute(db)
  const [superuser] = rows
  if (superuser)
    return [
      {
        what:
          superuser.via === role
            ? `the role ${role} is a superuser: it may change and delete everything`
            : `the role ${role} is a member of the superuser ${superuser.via}: it may change and delete everything`,
        mend: 'connect as a role of its own, to which an owner has granted by pledger migrate --grant-service',
      },
    ]
  const found = await rightsOf(db, role)
  // A right that a membership brings is named once, with the role that has it.
  const isOwn = ({ kind, object, via }: Row) =>
    via === role && found.some((o) => o.kind === kind && o.object === object && o.via !== role)
  return found.filter((row) => !isOwn(row)).map((row) => describe(role, row))
}

const WANTED: Record<string, { unsafe: (setting: string) => boolean; because: string }> = {
  fsync: {
    unsafe: (setting) => setting === 'off',
    because: 'what was answered as recorded is lost with a crash of the machine, and the rest with it',
  },
  full_page_writes: {
    unsafe: (setting) => setting === 'off',
    because: 'a crash of the machine can leave pages that are half written',
  },
  synchronous_commit: {
    unsafe: (setting) => setting === 'off',
    because: 'what was answered as recorded is lost with a crash',
  },
  session_replication_role: { unsafe: (setting) => setting !== 'origin', because: 'ordinary triggers do not run' },
}

/** What takes a setting back, by where it was set. */
function reset(name: string, source: string, { role, database }: { role: string; database: string }): string {
  switch (source) {
    case 'user':
      return `alter role ${role} reset ${name}`
    case 'database':
      return `alter database ${database} reset ${name}`
    case 'database user':
      return `alter role ${role} in database ${database} reset ${name}`
    case 'client':
      return `take ${name} out of the address of the database, and of PGOPTIONS`
    default:
      return `take ${name} out of the server's configuration (alter system reset ${name}), and reload it`
  }
}

type Session = { role: string; database: string }

/** As whom and where a connection works. */
export async function sessionOf(db: Queryable): Promise<Session> {
  const { rows } = await sql<Session>`select session_user as role, current_database() as database`.execute(db)
  // Safe: the statement has one row.
  return rows[0] as Session
}

async function settingFindings(db: Queryable, session: Session): Promise<Finding[]> {
  const { rows } = await sql<{ name: string; setting: string; source: string }>`
    select name, setting, source from pg_settings where name = any(${Object.keys(WANTED)}::text[]) order by name`.execute(
    db,
  )
  return rows.flatMap(({ name, setting, source }) => {
    const wanted = WANTED[name]
    if (!wanted?.unsafe(setting)) return []
    return [{ what: `${name} is ${setting}: ${wanted.because}`, mend: reset(name, source, session) }]
  })
}

async function guardFindings(db: Queryable): Promise<Finding[]> {
  const guards = Object.entries(GUARDS).flatMap(([table, names]) => names.map((guard) => ({ table, guard })))
  const { rows } = await sql<{ table: string; guard: string }>`select g.table_name as table, g.guard
    from unnest(${guards.map(({ table }) => table)}::text[], ${guards.map(({ guard }) => guard)}::text[]) g (table_name, guard)
    where to_regclass(g.table_name) is not null and not exists (select from pg_trigger
      where tgrelid = to_regclass(g.table_name) and tgname = g.guard and tgenabled = 'A')
    order by g.table_name, g.guard`.execute(db)
  return rows.map(({ table, guard }) => ({
    what: `the trigger ${guard} of ${table} is gone or switched off`,
    mend: `alter table ${table} enable always trigger ${guard}, and find out who did that`,
  }))
}

/**
 * Everything that makes what is recorded unsafe, as far as this connection and its server go; empty where it is safe. Of the role
 * nothing is said where `ofRole` is false.
 */
export async function unsafeFindings(db: Queryable, { ofRole = true } = {}): Promise<Finding[]> {
  const session = await sessionOf(db)
  return [
    ...(ofRole ? await roleFindings(db, session.role) : []),
    ...(await settingFindings(db, session)),
    ...(await guardFindings(db)),
  ]
}

/** Whether this connection may do what a service does. */
export async function mayServe(db: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    may: boolean
  }>`select coalesce(bool_and(has_function_privilege(p.oid, 'execute')), false)
    and coalesce(has_table_privilege(to_regclass('projection_progress'), 'insert'), false) as may
    from pg_proc p where pronamespace = current_schema()::regnamespace and proname = 'append_events'`.execute(db)
  return rows[0]?.may ?? false
}

/** Whether this connection may seal. */
export async function maySeal(db: Queryable): Promise<boolean> {
  const { rows } = await sql<{
    may: boolean
  }>`select coalesce(has_table_privilege(to_regclass('tile'), 'insert'), false)
    and coalesce(has_table_privilege(to_regclass('signed_checkpoint'), 'insert'), false) as may`.execute(db)
  return rows[0]?.may ?? false
}
