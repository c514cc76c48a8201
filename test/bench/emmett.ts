// The rows of `--peers`: the same work by Emmett's event store on the same server, in a process of its own and a database of
// its own. Its packages are installed at the first use; nothing else here depends on them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Row } from './measure.ts'
import { recording } from './record.ts'
import { replay } from './replaying.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import type { Stage } from './stage.ts'

const PEERS = join(import.meta.dirname, 'peers')
const CONCURRENCY = 32
const APPENDS = 4_000
const REPLAYED = { commitments: 8_000, delivered: 3_200, late: 360, seed: 1, asOf: '2026-02-26' }
/** A consumer as it comes takes most of a minute. */
const REPLAY_ROUNDS = 3
/** What a consumer is faster with than as it comes: larger batches, and no rest between them. */
const TUNED = { batchSize: 1_000, pullingFrequencyInMs: 0 }

async function isInstalled(): Promise<boolean> {
  const changedAt = async (file: string) => (await stat(join(PEERS, file)).catch(() => null))?.mtimeMs ?? 0
  return (await changedAt('node_modules/.package-lock.json')) > (await changedAt('package-lock.json'))
}

/** What npm tells goes to standard error: standard output is for the rows. */
async function install(): Promise<void> {
  if (await isInstalled()) return
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: ['ignore', 2, 2] })
  const [code] = await once(npm, 'exit')
  if (code !== 0) throw new Error(`npm ci in ${PEERS} ended with ${code}`)
}

type Task = 'append' | 'fill' | 'replay'
type Peer = (task: Task, details: object) => Promise<number>

/** Starts the peer; what it returns has it do a task and resolves with how much it did in a second. */
async function startPeer({ start }: Pick<Stage, 'start'>, database: string): Promise<Peer> {
  await install()
  const { url } = await start(['test/bench/peers/emmett.js', database])
  return async (task, details) => {
    const response = await fetch(`${url}/${task}`, { method: 'POST', body: JSON.stringify(details) })
    const text = await response.text()
    if (!response.ok) throw new Error(`Emmett, ${task}: ${text}`)
    // Safe: written by the peer.
    return (JSON.parse(text) as { rate: number }).rate
  }
}

/** What the body of a recording says, as an event of Emmett's. */
function eventOf(body: string): { stream: string; event: object } {
  const { stream, type, ...data } = JSON.parse(body)
  return { stream, event: { type, data } }
}

/** Row `record-emmett`: recordings over HTTP beside appends in process, one event each. */
export async function recordEmmettRow(stage: Stage): Promise<Row> {
  const { value, bodies } = await recording(stage, 'bench-record-emmett')
  const peer = await startPeer(stage, 'emmett_append')
  const details = {
    streams: bodies.map((body) => eventOf(body).stream),
    event: eventOf(bodies[0] ?? '{}').event,
    count: APPENDS,
    concurrency: CONCURRENCY,
    // One for each caller; with 8, or its 10 by default, it does less.
    connections: CONCURRENCY,
  }
  return { row: 'record-emmett', unit: 'events/s', value, limit: () => peer('append', details) }
}

/** Row `replay-emmett`: beside a consumer as it comes. */
export function replayEmmettRow(stage: Stage): Promise<Row> {
  return replayBeside(stage, 'replay-emmett', {})
}

/** Row `replay-emmett-tuned`: beside a consumer with the settings that it is fastest with. */
export function replayTunedEmmettRow(stage: Stage): Promise<Row> {
  return replayBeside(stage, 'replay-emmett-tuned', TUNED)
}

/** A replay of all projections beside a consumer that reads as many events and does nothing with them. */
async function replayBeside(stage: Stage, row: string, pulling: object): Promise<Row> {
  const register = `bench-${row}`
  const lines = syntheticNdjson(REPLAYED)
  await importAll(stage.service, register, lines)
  await settle(stage.service, register)
  const peer = await startPeer(stage, row.replaceAll('-', '_'))
  const events = lines.body.toString().trimEnd().split('\n').map(eventOf)
  await peer('fill', { events })
  return {
    row,
    unit: 'events/s',
    rounds: REPLAY_ROUNDS,
    value: async () => (await replay(stage, register, lines.count)).rate,
    limit: () => peer('replay', { count: lines.count, pulling }),
  }
}
