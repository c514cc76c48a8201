// The schema as text, read from the catalogue: the same for every database at the same migrations. What migrations/schema.sql
// holds, so that a reader sees the whole without running a migration.

import { sql } from 'kysely'
import type { Queryable } from '../../src/database/pool.ts'

type Line = { text: string }

const OURS = sql`relnamespace = 'public'::regnamespace and relname not like 'migration%'`
/** Partitions have what their tables have. */
const OWN = sql`relkind in ('r', 'p') and not relispartition and ${OURS}`

async function lines(db: Queryable, query: ReturnType<typeof sql<Line>>): Promise<string[]> {
  return (await query.execute(db)).rows.map((row) => row.text)
}

function tables(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select format(E'create table %I (\n%s\n)%s;', relname, string_agg(part, E',\n' order by place, part_name),
          ' partition by ' || max(partition_key)) as text
      from (
        select relname, pg_get_partkeydef(pg_class.oid) as partition_key, 0 as place, to_char(attnum, '0000') as part_name, format('  %I %s%s%s%s', attname,
          format_type(atttypid, atttypmod),
          case when attcollation <> 0 and collname <> 'default' then format(' collate %I', collname) else '' end,
          case when adbin is not null then ' default ' || pg_get_expr(adbin, adrelid) else '' end,
          case when attnotnull then ' not null' else '' end) as part
        from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
          left join pg_attrdef on adrelid = pg_class.oid and adnum = attnum
          left join pg_collation on pg_collation.oid = attcollation
        where ${OWN}
        union all
        select relname, null, 1, conname, format('  constraint %I %s', conname, pg_get_constraintdef(pg_constraint.oid))
        from pg_constraint join pg_class on pg_class.oid = conrelid
        where contype <> 'n' and ${OWN}
      ) as parts group by relname order by relname`,
  )
}

function sequences(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select format('create sequence %I;', relname) as text from pg_class
      where relkind = 'S' and ${OURS} order by relname`,
  )
}

function partitions(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select format('create table %I partition of %I %s;', relname, inhparent::regclass,
        pg_get_expr(relpartbound, pg_class.oid)) as text
      from pg_class join pg_inherits on inhrelid = pg_class.oid where relkind = 'r' and ${OURS} order by relname`,
  )
}

function indexes(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select pg_get_indexdef(indexrelid) || ';' as text from pg_index join pg_class on pg_class.oid = indrelid
      where ${OWN} and not exists (select from pg_constraint where conindid = indexrelid) order by indexrelid::regclass::text`,
  )
}

function functions(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select trim(trailing E'\n' from pg_get_functiondef(oid)) || ';' as text from pg_proc
      where pronamespace = 'public'::regnamespace order by proname`,
  )
}

function triggers(db: Queryable): Promise<string[]> {
  return lines(
    db,
    sql<Line>`select pg_get_triggerdef(pg_trigger.oid) || ';' ||
        case tgenabled when 'A' then format(E'\nalter table %I enable always trigger %I;', relname, tgname) else '' end as text
      from pg_trigger join pg_class on pg_class.oid = tgrelid where not tgisinternal and ${OURS} order by relname, tgname`,
  )
}

/** The tables, indexes, functions and triggers of the database, as SQL in a fixed order. */
export async function dumpSchema(db: Queryable): Promise<string> {
  const inOrder = [sequences, tables, partitions, indexes, functions, triggers]
  const parts: string[] = []
  for (const part of inOrder) parts.push(...(await part(db)))
  return `-- Generated from migrations/ by \`npm run generate\`; do not edit.\n\n${parts.join('\n\n')}\n`
}
