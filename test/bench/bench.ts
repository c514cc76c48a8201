// `npm run bench`: what the service does in a second, each number beside its limit, measured in the same run on the same
// machine. The service is a process of its own, as in production; load comes from this one, over loopback.

import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { feedRow } from './feed.ts'
import { importRow } from './import.ts'
import { type Measured, measure, type Row } from './measure.ts'
import { oracleRow } from './oracle.ts'
import { recordRow } from './record.ts'
import { json, machine, table } from './report.ts'
import { scaleRows } from './scale.ts'
import { type Stage, setBareStage, setStage } from './stage.ts'
import { pastSummaryRow, summaryRow } from './summary.ts'

/** The rows that measure the running service. */
const SERVICE_ROWS: Record<string, (stage: Stage) => Promise<Row>> = {
  record: recordRow,
  import: importRow,
  feed: feedRow,
  summary: summaryRow,
  'summary-past': pastSummaryRow,
}
const SCALE = 'scale'
const ORACLE = 'oracle'
const NAMES = [...Object.keys(SERVICE_ROWS), ORACLE, SCALE]
const ROUNDS = 5

const HELP = `Usage: npm run bench -- [options]

Measures the service beside the limit of what it is built on, in turns, and prints the median of ${ROUNDS} rounds.

  --rows <names>     only these rows, comma separated: ${NAMES.join(', ')}
                     without this, all but the last two
  --scale <events>   rows ${ORACLE} and ${SCALE}: questions about a register of so many made-up events, and one a tenth as large
  --json             an array of {row, value, limit, ratio, goal, atMost} on standard output
  --profile <dir>    writes a CPU profile of the service to a directory (slower; not for the table)
  --help             this text
`

type Flags = { rows: string[]; scale: number; isJson: boolean; profileDir: string | null }
type Ending = { text: string; exitCode: 0 | 2 }

function wrongUsage(what: string): Ending {
  return { text: `bench: ${what}\n\n${HELP}`, exitCode: 2 }
}

/** The flags, or the text to end with: on standard error where they are wrong. */
function readFlags(): Flags | Ending {
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string' },
        scale: { type: 'string' },
        json: { type: 'boolean', default: false },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { text: HELP, exitCode: 0 }
    if (values.scale !== undefined && !/^[1-9]\d{0,8}$/.test(values.scale))
      return wrongUsage(`--scale is ${JSON.stringify(values.scale)}; expected how many events, at least 1`)
    const scale = Number(values.scale ?? 0)
    const rows = values.rows?.split(',') ?? (scale > 0 ? [ORACLE, SCALE] : Object.keys(SERVICE_ROWS))
    const unknown = rows.find((row) => !NAMES.includes(row))
    if (unknown !== undefined) return wrongUsage(`there is no row ${unknown}`)
    if (rows.includes(SCALE) !== scale > 0) return wrongUsage(`row ${SCALE} and --scale <events> go together`)
    return { rows, scale, isJson: values.json, profileDir: values.profile ?? null }
  } catch (error) {
    return wrongUsage((error as Error).message)
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

let isStriking = false
/** The machine, told by whichever stage was set. */
let about = ''

/** On Ctrl-C the stage is struck first: PostgreSQL would outlive this process. */
function strikeOnSignals(ending: AsyncDisposableStack): void {
  const strike = async (signal: NodeJS.Signals) => {
    isStriking = true
    tell(`${signal}: cleaning up`)
    await ending.disposeAsync()
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, strike)
}

async function serviceRows(ending: AsyncDisposableStack, { rows, profileDir }: Flags): Promise<Measured[]> {
  const prepared = rows.flatMap((row) => SERVICE_ROWS[row] ?? [])
  if (prepared.length === 0) return []
  const stage = await setStage(ending, profileDir)
  about = await machine(stage.pool)
  const measured: Measured[] = []
  for (const prepare of prepared) measured.push(await measure(await prepare(stage), ROUNDS, tell))
  return measured
}

async function oracleRows(ending: AsyncDisposableStack, { rows }: Flags): Promise<Measured[]> {
  if (!rows.includes(ORACLE)) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return [await oracleRow(stage, tell)]
}

/** On a stage of their own, without a service whose projections would follow what is loaded. */
async function rowsAtScale(ending: AsyncDisposableStack, { scale }: Flags): Promise<Measured[]> {
  if (scale === 0) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return scaleRows(stage, scale, tell)
}

async function run(flags: Flags): Promise<void> {
  await using ending = new AsyncDisposableStack()
  strikeOnSignals(ending)
  const measured: Measured[] = []
  for (const part of [serviceRows, oracleRows, rowsAtScale]) {
    // A stage is struck before the next is set; those of a part that was interrupted go with the whole.
    const partly = ending.use(new AsyncDisposableStack())
    measured.push(...(await part(partly, flags)))
    await partly.disposeAsync()
  }
  process.stdout.write(flags.isJson ? `${json(measured)}\n` : `\n${table(measured)}\n\n${about}\n`)
  if (flags.isJson) tell(about)
}

const flags = readFlags()
if ('text' in flags) {
  ;(flags.exitCode === 0 ? process.stdout : process.stderr).write(flags.text)
  process.exitCode = flags.exitCode
} else {
  try {
    await run(flags)
  } catch (error) {
    // What fails because the stage is being struck says nothing; the process ends with the signal's own code.
    if (isStriking) await new Promise(() => {})
    throw error
  }
}
