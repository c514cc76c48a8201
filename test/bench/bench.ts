// `npm run bench`: what the service does in a second, each number beside its limit, measured in the same run on the same
// machine. The service is a process of its own, as in production; load comes from this one, over loopback.

import { constants } from 'node:os'
import { recordEmmettRow, replayEmmettRow, replayTunedEmmettRow } from './emmett.ts'
import { feedRow } from './feed.ts'
import { type Flags, GROWTH, ORACLE, ROUNDS, readFlags, SCALE } from './flags.ts'
import { growthRows } from './growth.ts'
import { importRow } from './import.ts'
import { type Measured, measure, type Row } from './measure.ts'
import { peakMemory, serveMemoryRow, TELLS_MEMORY } from './memory.ts'
import { oracleRow } from './oracle.ts'
import { PAGE, pageRow } from './page.ts'
import { pollRow, summary200Row } from './polling.ts'
import { recordInsertRow, recordRow } from './record.ts'
import { replayRows } from './replay.ts'
import { json, machine, table } from './report.ts'
import { scaleRows } from './scale.ts'
import { SEALING_ROWS, sealingRows } from './sealing.ts'
import { type Stage, setBareStage, setStage } from './stage.ts'
import { stormFor } from './storm.ts'
import { pastSummaryRow, summaryRow } from './summary.ts'

type Prepare = (stage: Stage) => Promise<Row>

/**
 * The rows that measure the running service, in their order. To add one: write its file beside record.ts, name it here, what
 * it is in report.ts, and what it is to reach in goals.ts.
 */
const SERVICE_ROWS: Record<string, Prepare> = {
  record: recordRow,
  'record-insert': recordInsertRow,
  import: importRow,
  feed: feedRow,
  summary: summaryRow,
  'summary-past': pastSummaryRow,
  'poll-304': pollRow,
  'summary-200': summary200Row,
}

/** The same beside another event store (--peers). */
const PEER_ROWS: Record<string, Prepare> = {
  'record-emmett': recordEmmettRow,
  'replay-emmett': replayEmmettRow,
  'replay-emmett-tuned': replayTunedEmmettRow,
}

/** On a stage of its own. */
const REPLAY = 'replay'

/** The memory of the service through all of the rows above; left out where the system does not tell. */
const MEMORY = 'memory-serve'

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
  const all = { ...SERVICE_ROWS, ...PEER_ROWS }
  const prepared = rows.flatMap((row) => all[row] ?? [])
  if (prepared.length === 0) return []
  const stage = await setStage(ending, profileDir)
  about = await machine(stage.pool)
  const measured: Measured[] = []
  for (const prepare of prepared) {
    measured.push(await measure(await prepare(stage), ROUNDS, tell))
    if (TELLS_MEMORY) tell(`the service has held at most ${Math.round(await peakMemory(stage.servicePid))} MB so far`)
  }
  if (rows.includes(MEMORY) && TELLS_MEMORY) measured.push(await serveMemoryRow(stage.servicePid))
  return measured
}

async function replayOf(ending: AsyncDisposableStack, { rows }: Flags): Promise<Measured[]> {
  if (!rows.includes(REPLAY)) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return replayRows(stage, tell)
}

async function rowsOfSealing(ending: AsyncDisposableStack, { rows }: Flags): Promise<Measured[]> {
  if (!SEALING_ROWS.some((row) => rows.includes(row))) return []
  const { measured, pool } = await sealingRows(ending, rows, ROUNDS, tell)
  about = await machine(pool)
  return measured
}

async function rowOfPage(ending: AsyncDisposableStack, { rows }: Flags): Promise<Measured[]> {
  if (!rows.includes(PAGE)) return []
  const stage = await setStage(ending, null)
  about = await machine(stage.pool)
  return pageRow(ending, stage, tell)
}

async function oracleRows(ending: AsyncDisposableStack, { rows }: Flags): Promise<Measured[]> {
  if (!rows.includes(ORACLE)) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return [await oracleRow(stage, tell)]
}

/** On a stage of their own, without a service whose projections would follow what is loaded. */
async function rowsAtScale(ending: AsyncDisposableStack, { rows, scale }: Flags): Promise<Measured[]> {
  if (!rows.includes(SCALE)) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return scaleRows(stage, scale, tell)
}

async function rowsOfGrowth(ending: AsyncDisposableStack, { rows, growth }: Flags): Promise<Measured[]> {
  if (!rows.includes(GROWTH)) return []
  const stage = await setBareStage(ending)
  about = await machine(stage.pool)
  return growthRows(stage, growth, tell)
}

/** No rows: it goes well or the run fails. */
async function stormOf(ending: AsyncDisposableStack, { stormSeconds }: Flags): Promise<Measured[]> {
  if (stormSeconds > 0) await stormFor(ending, stormSeconds, tell)
  return []
}

async function run(flags: Flags): Promise<void> {
  await using ending = new AsyncDisposableStack()
  strikeOnSignals(ending)
  const measured: Measured[] = []
  for (const part of [
    serviceRows,
    replayOf,
    rowsOfSealing,
    rowOfPage,
    oracleRows,
    rowsAtScale,
    rowsOfGrowth,
    stormOf,
  ]) {
    // A stage is struck before the next is set; those of a part that was interrupted go with the whole.
    const partly = ending.use(new AsyncDisposableStack())
    measured.push(...(await part(partly, flags)))
    await partly.disposeAsync()
  }
  if (measured.length > 0) show(measured, flags)
}

function show(measured: readonly Measured[], { isJson }: Flags): void {
  process.stdout.write(isJson ? `${json(measured)}\n` : `\n${table(measured)}\n\n${about}\n`)
  if (isJson) tell(about)
}

const flags = readFlags({
  bare: [REPLAY, ...SEALING_ROWS, PAGE],
  service: [...Object.keys(SERVICE_ROWS), MEMORY],
  peers: Object.keys(PEER_ROWS),
})
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
