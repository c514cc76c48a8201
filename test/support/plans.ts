// The plans that PostgreSQL really makes: of every statement that the code sends, and of those inside of functions, as
// auto_explain tells them to the session that sent them. Nothing is copied from the code and explained beside it.

import { sql } from 'kysely'
import pg from 'pg'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import type { Ending } from './process.ts'

/** One step of a plan that reads a table. */
type Scan = { table: string; index: string | null; node: string; rowsRemoved: number }
export type Plan = { text: string; scans: Scan[] }

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Rows Removed by Filter'?: number
  'Actual Loops'?: number
  Plans?: Node[]
}

const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  'auto_explain.log_level': 'notice',
}

/** The same database, by sessions that tell their plans. */
function explaining(connectionString: string): string {
  const url = new URL(connectionString)
  const options = Object.entries(SETTINGS).map(([name, value]) => `-c ${name}=${value}`)
  url.searchParams.set('options', options.join(' '))
  return url.href
}

/** The scans of a plan. What a bitmap finds is read from the table by a node above the ones that name the indexes. */
function scansOf(node: Node, indexes: ReadonlyMap<string, string>): Scan[] {
  // Planned, as for a partition that turned out not to be asked for, and not run.
  if (node['Actual Loops'] === 0) return []
  const below = (node.Plans ?? []).flatMap((child) => scansOf(child, indexes))
  const name = node['Index Name']
  // What writes to a table names it too.
  const table = node['Node Type'].endsWith('Scan') ? node['Relation Name'] : undefined
  if (name === undefined && table === undefined) return below
  const index =
    name === undefined ? (below.find((scan) => scan.table === '')?.index ?? null) : (indexes.get(name) ?? name)
  const rowsRemoved = (node['Rows Removed by Filter'] ?? 0) * (node['Actual Loops'] ?? 1)
  const bitmaps = table === undefined ? below : below.filter((scan) => scan.table !== '')
  return [{ table: table ?? '', index, node: node['Node Type'], rowsRemoved }, ...bitmaps]
}

export type Explained = {
  db: Database
  /** Does something and returns the plans of all that it sent. */
  plansOf: (work: (db: Database) => Promise<unknown>) => Promise<Plan[]>
}

/** A pool whose statements are explained; it ends with the test. */
export async function explainedDatabase(ending: Ending, connectionString: string): Promise<Explained> {
  const heard: string[] = []
  const pool = openDatabase({ connectionString: explaining(connectionString), max: 4 })
  // The pool is behind the dialect: its clients are met where they connect.
  const { connect } = pg.Client.prototype
  type Connect = (this: pg.Client, ...given: unknown[]) => unknown
  const hearing: Connect = function (...given) {
    this.on('notice', ({ message }) => message?.includes('plan:') && heard.push(message))
    // Safe: handed on as it came.
    return (connect as Connect).apply(this, given)
  }
  // Safe: it takes and gives what the original does.
  pg.Client.prototype.connect = hearing as typeof connect
  ending.teardown(async () => {
    pg.Client.prototype.connect = connect
    await pool.destroy()
  })
  // The index of a partition stands for that of its table.
  const { rows } = await sql<{ part: string; whole: string }>`select c.relname as part, p.relname as whole
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where p.relkind in ('I', 'p')`.execute(pool)
  const wholes = new Map(rows.map(({ part, whole }) => [part, whole]))
  const plan = (message: string): Plan => {
    // Safe: auto_explain writes one JSON object after this word.
    const { 'Query Text': text, Plan: root } = JSON.parse(message.slice(message.indexOf('plan:') + 5)) as {
      'Query Text': string
      Plan: Node
    }
    const scans = scansOf(root, wholes).map((scan) => ({ ...scan, table: wholes.get(scan.table) ?? scan.table }))
    return { text, scans }
  }
  return {
    db: pool,
    async plansOf(work) {
      heard.length = 0
      await work(pool)
      return heard.map(plan)
    },
  }
}
