// What the bench is asked for on its command line.

import { parseArgs } from 'node:util'

/** The names of rows, by what they need to be measured. */
export type Names = {
  /** Always measured where nothing else is asked for. */
  service: readonly string[]
  /** Likewise, on stages of their own. */
  bare: readonly string[]
  /** With --peers. */
  peers: readonly string[]
}

export type Flags = {
  rows: readonly string[]
  /** How many events the rows at scale, and those of growth, are about; 0 where they are not wanted. */
  scale: number
  growth: number
  /** How many seconds the storm lasts; 0 where there is none. */
  stormSeconds: number
  isJson: boolean
  profileDir: string | null
}

export type Ending = { text: string; exitCode: 0 | 2 }

export const ROUNDS = 5
export const ORACLE = 'oracle'
export const SCALE = 'scale'
export const GROWTH = 'growth'
export const GROWTH_FROM = 50_000

function help({ service, bare, peers }: Names): string {
  return `Usage: npm run bench -- [options]

Measures the service beside the limit of what it is built on, in turns, and prints the median of ${ROUNDS} rounds.

  --rows <names>      only these rows, comma separated: ${[...service, ...bare].join(', ')};
                      without this, all of these
  --peers             also ${peers.join(', ')}: the same by another event store,
                      installed from npm under test/bench/peers at the first use
  --scale <events>    rows ${ORACLE} and ${SCALE}: questions about a register of so many made-up events, and one a tenth as large
  --growth <events>   rows growth-record, growth-replay, memory-replay: what recording to and replaying a register of so many
                      events costs beside one of ${GROWTH_FROM}
  --storm <seconds>   no rows: writers, readers and services that are killed at random; fails where anything is lost
  --json              an array of {row, value, limit, ratio, goal, atMost} on standard output
  --profile <dir>     writes a CPU profile of the service to a directory (slower; not for the table)
  --help              this text
`
}

const OPTIONS = {
  rows: { type: 'string' },
  peers: { type: 'boolean', default: false },
  scale: { type: 'string' },
  growth: { type: 'string' },
  storm: { type: 'string' },
  json: { type: 'boolean', default: false },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

class UsageError extends Error {}

function count(flag: string, text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(`--${flag} is ${JSON.stringify(text)}; expected a number from 1`)
  return Number(text)
}

/** Rows that need a flag, and rows that a flag alone brings. */
function rowsOf(names: Names, values: Values): readonly string[] {
  const brought = [...(values.scale ? [ORACLE, SCALE] : []), ...(values.growth ? [GROWTH] : [])]
  if (values.rows === undefined) {
    if (values.storm || brought.length > 0) return values.peers ? [...brought, ...names.peers] : brought
    const usual = [...names.service, ...names.bare]
    return values.peers ? [...usual, ...names.peers] : usual
  }
  const rows = values.rows.split(',')
  const unknown = rows.find(
    (row) => ![...names.service, ...names.bare, ...names.peers, ORACLE, SCALE, GROWTH].includes(row),
  )
  if (unknown !== undefined) throw new UsageError(`there is no row ${unknown}`)
  const peer = rows.find((row) => names.peers.includes(row))
  if (peer !== undefined && !values.peers) throw new UsageError(`row ${peer} needs --peers`)
  for (const [row, size] of [
    [SCALE, values.scale],
    [GROWTH, values.growth],
  ] as const) {
    if (rows.includes(row) !== (size !== undefined))
      throw new UsageError(`row ${row} and --${row} <events> go together`)
  }
  return rows
}

function flagsOf(names: Names, values: Values): Flags {
  return {
    rows: rowsOf(names, values),
    scale: count('scale', values.scale),
    growth: count('growth', values.growth),
    stormSeconds: count('storm', values.storm),
    isJson: values.json,
    profileDir: values.profile ?? null,
  }
}

/** The flags, or the text to end with: on standard error where they are wrong. */
export function readFlags(names: Names): Flags | Ending {
  try {
    const { values } = parseArgs({ options: OPTIONS })
    return values.help ? { text: help(names), exitCode: 0 } : flagsOf(names, values)
  } catch (error) {
    const isOurs = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    if (!isOurs) throw error
    return { text: `bench: ${(error as Error).message}\n\n${help(names)}`, exitCode: 2 }
  }
}
