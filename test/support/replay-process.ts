// A process that works on a replay in small chunks, for tests that kill it: node replay-process.ts <address> <operation>.

import { openDatabase } from '../../src/database/pool.ts'
import { runReplay } from '../../src/projections/replay/replay.ts'
import { createRegisters } from '../../src/registers/registers.ts'

const [connectionString = '', operation = ''] = process.argv.slice(2)
const db = openDatabase({ connectionString, max: 4 })
const onProgress = ({ phase, done }: { phase: string; done: number }) =>
  process.stdout.write(`${phase} ${Math.floor(done)}\n`)
const signal = new AbortController().signal
const { state } = await runReplay(db, createRegisters(), operation, {
  connectionString,
  workers: 2,
  chunkEvents: 25,
  signal,
  onProgress,
})
process.stdout.write(`${state}\n`)
await db.destroy()
