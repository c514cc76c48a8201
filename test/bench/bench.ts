// `npm run bench`: what the service does in a second, each number beside its limit, measured in the same run on the same
// machine. The service is a process of its own, as in production; load comes from this one, over loopback.

import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { importRow } from './import.ts'
import { type Measured, measure, type Row } from './measure.ts'
import { recordRow } from './record.ts'
import { json, machine, table } from './report.ts'
import { type Stage, setStage } from './stage.ts'
import { pastSummaryRow, summaryRow } from './summary.ts'

const ROWS: Record<string, (stage: Stage) => Promise<Row>> = {
  record: recordRow,
  import: importRow,
  summary: summaryRow,
  'summary-past': pastSummaryRow,
}
const ROUNDS = 5

const HELP = `Usage: npm run bench -- [options]

Measures the service beside the limit of what it is built on, in turns, and prints the median of ${ROUNDS} rounds.

  --rows <names>     only these rows, comma separated: ${Object.keys(ROWS).join(', ')}
  --json             an array of {row, value, limit, ratio, goal, atMost} on standard output
  --profile <dir>    writes a CPU profile of the service to a directory (slower; not for the table)
  --help             this text
`

type Flags = { rows: string[]; isJson: boolean; profileDir: string | null }

/** The flags, or the text to end with: on standard error where they are wrong. */
function readFlags(): Flags | { text: string; exitCode: 0 | 2 } {
  try {
    const { values } = parseArgs({
      options: {
        rows: { type: 'string' },
        json: { type: 'boolean', default: false },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { text: HELP, exitCode: 0 }
    const rows = values.rows?.split(',') ?? Object.keys(ROWS)
    const unknown = rows.find((row) => !Object.hasOwn(ROWS, row))
    if (unknown !== undefined) return { text: `bench: there is no row ${unknown}\n\n${HELP}`, exitCode: 2 }
    return { rows, isJson: values.json, profileDir: values.profile ?? null }
  } catch (error) {
    return { text: `bench: ${(error as Error).message}\n\n${HELP}`, exitCode: 2 }
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

let isStriking = false

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

async function run({ rows, isJson, profileDir }: Flags): Promise<void> {
  await using ending = new AsyncDisposableStack()
  strikeOnSignals(ending)
  const stage = await setStage(ending, profileDir)
  const about = await machine(stage.pool)
  const measured: Measured[] = []
  for (const row of rows) {
    const prepare = ROWS[row]
    if (prepare) measured.push(await measure(await prepare(stage), ROUNDS, tell))
  }
  process.stdout.write(isJson ? `${json(measured)}\n` : `\n${table(measured)}\n\n${about}\n`)
  if (isJson) tell(about)
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
