// The rows of `--growth`: what a recording costs, and an event of a replay, in a register of that many events beside one of
// 50,000, on the same server by turns. Both registers are of the same commitments, many times over in the larger one.

import { generateKeyPairSync } from 'node:crypto'
import { openDatabase } from '../../src/database/pool.ts'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { randomFrom } from '../../src/samples/random.ts'
import { GROWTH_FROM, ROUNDS } from './flags.ts'
import { type GrownLog, grownLog } from './growth-log.ts'
import { fire, type Measured, measure, perSecond, type Row, type Tell } from './measure.ts'
import { peakMemory, replayMemoryRow, TELLS_MEMORY } from './memory.ts'
import { recordLoad } from './record.ts'
import { replay } from './replaying.ts'
import { copyLog } from './scale-load.ts'
import { settle } from './service.ts'
import type { BareStage } from './stage.ts'

/** Few beside the smaller register, which should stay about as large as it is. */
const RECORDINGS = 2_000
const REPLAY_ROUNDS = 3
const STREAMS = 4_000
const PROOFS = 4_000
const PROOF_CONNECTIONS = 8

/** First the replays, which bring the projections to the head, and what they held; then proofs and recordings of the service. */
export async function growthRows(stage: BareStage, size: number, tell: Tell): Promise<Measured[]> {
  await stage.run(['src/main.ts', 'migrate'])
  const small = await load(stage, 'growth-small', GROWTH_FROM, tell)
  const large = await load(stage, 'growth-large', size, tell)
  await stage.pool.query('vacuum analyze')
  const peaks: number[] = []
  const replayed = await measure(replayRow(stage, small, large, peaks), ROUNDS, tell)
  await stage.pool.query('vacuum analyze')
  await seal(stage, [small, large])
  const { url, pid } = await stage.start(['src/main.ts', 'serve', '--unsafe-database'])
  const proved = await measure(proofRow(url, small, large), ROUNDS, tell)
  const recorded = await measure(recordRow(url, small, large), ROUNDS, tell)
  if (!TELLS_MEMORY) return [recorded, replayed, proved]
  tell(`growth-record: the service held at most ${Math.round(await peakMemory(pid))} MB`)
  return [recorded, replayed, proved, replayMemoryRow(Math.max(...peaks))]
}

async function load({ pool }: BareStage, register: string, size: number, tell: Tell): Promise<GrownLog> {
  const log = grownLog(register, size, GROWTH_FROM)
  const rate = await perSecond(size, () => copyLog(pool, log))
  tell(`${register}: made and loaded ${size} events, ${Math.round(rate)} events/s`)
  return log
}

function microseconds(rate: number): number {
  return 1_000_000 / rate
}

/** Adds to `peaks` what each replay held at most. */
function replayRow(stage: BareStage, small: GrownLog, large: GrownLog, peaks: number[]): Row {
  const cost = async ({ register, size }: GrownLog) => {
    const { rate, peak } = await replay(stage, register, size)
    peaks.push(peak)
    return microseconds(rate)
  }
  const turns = { value: () => cost(large), limit: () => cost(small) }
  return { row: 'growth-replay', unit: 'µs', rounds: REPLAY_ROUNDS, isCold: true, ...turns }
}

function recordRow(service: string, small: GrownLog, large: GrownLog): Row {
  const recording = ({ register, commitment }: GrownLog) => {
    const random = randomFrom(`recordings to ${register}`)
    const streams = Array.from({ length: STREAMS }, () => commitment(random.int(0, 999_999), random.int(0, 999_999)))
    const load = recordLoad(service, register, streams, RECORDINGS)
    return async () => {
      const rate = await fire(load)
      await settle(service, register)
      return microseconds(rate)
    }
  }
  return { row: 'growth-record', unit: 'µs', value: recording(large), limit: recording(small) }
}

/** Seals logs under a key that is made for it. */
async function seal({ connectionString }: BareStage, logs: readonly GrownLog[]): Promise<void> {
  const db = openDatabase({ connectionString, max: 2 })
  const keys = [generateKeyPairSync('ed25519').privateKey]
  for (const { register } of logs)
    await sealAll(db, register, sealOf(register, { origin: 'bench.test', keys, now: Date.now }))
  await db.destroy()
}

/** Row `growth-proof`: the inclusion proofs of events at random positions. */
function proofRow(service: string, small: GrownLog, large: GrownLog): Row {
  const proving = ({ register, size }: GrownLog) => {
    const random = randomFrom(`proofs of ${register}`)
    const requests = Array.from({ length: PROOFS }, () => ({
      path: `/v1/registers/${register}/events/${random.int(0, size - 1)}/proof`,
    }))
    const load = { address: service, connections: PROOF_CONNECTIONS, amount: PROOFS, requests }
    return async () => microseconds(await fire(load))
  }
  return { row: 'growth-proof', unit: 'µs', value: proving(large), limit: proving(small) }
}
