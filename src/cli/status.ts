// `pledger status`: the registers, and how far each projection has read them. Fails where one has stopped or is stuck,
// or where a register will not be sealed.

import type { Command } from 'commander'
import { listHeads } from '../eventlog/heads.ts'
import { type SealState, type SigningKey, sealStates, signingKeys } from '../integrity/sealing/status.ts'
import { assertNever } from '../kernel/assert-never.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { type ProjectionState, projectionStates } from '../projections/core/status.ts'
import { commandOf } from '../projections/replay/begin.ts'
import { replaysUnderWay } from '../projections/replay/operation.ts'
import { type ReplayState, statusOf, unfinishedState } from '../projections/replay/phases.ts'
import { counted, type Session, withDatabase } from './program.ts'

function lagOf({ behindEvents, behindSeconds }: Pick<ProjectionState, 'behindEvents' | 'behindSeconds'>) {
  const behind = `${counted(behindEvents)} ${behindEvents === 1 ? 'event' : 'events'} behind`
  return { behind, since: `the oldest recorded ${counted(behindSeconds)} s ago` }
}

function describe(state: ProjectionState): string {
  const { status, size, building, stopped } = state
  const { behind, since } = lagOf(state)
  switch (status) {
    case 'notStarted':
      return 'not started'
    case 'stopped':
      return `stopped at size ${counted(building ?? size)} by event ${stopped?.id ?? 'unknown'}: ${stopped?.reason}`
    case 'caughtUp':
      return 'caught up'
    case 'replaying':
      return `replaying, ${behind} meanwhile`
    case 'progressing':
      return building === null ? `progressing, ${behind}` : `building rows of version ${state.version}, ${behind}`
    case 'stuck':
      return `stuck, ${behind}, ${since}`
    default:
      return assertNever(status)
  }
}

function describeSealing(state: SealState): string {
  const { size, behindEvents, refusedBecause } = state
  const { behind, since } = lagOf(state)
  if (refusedBecause !== null) return `refused at size ${counted(size)}: ${refusedBecause}`
  if (size === 0) return `no checkpoint yet, ${behind}, ${since}`
  return behindEvents === 0 ? `sealed at size ${counted(size)}` : `sealed at size ${counted(size)}, ${behind}, ${since}`
}

/** A register as `--json` has it. */
function sealingOf(states: readonly SealState[], keys: readonly SigningKey[], register: string) {
  const state = states.find((one) => one.register === register)
  if (!state) return null
  const { size, signedAt, behindEvents, behindSeconds, refusedBecause: refused } = state
  return {
    size,
    signedAt: signedAt === null ? null : new Date(signedAt).toISOString(),
    behindEvents,
    behindSeconds,
    refused,
    keys: keys.filter((key) => key.register === register).map(({ vkey }) => vkey),
  }
}

/** As `GET /v1/operations/{id}` names it. */
function jsonOf(replay: ReplayState) {
  const { id, phase, projections, register, maxRate, dropPrevious, done, of, startedAt } = replay
  return { id, status: statusOf(replay), phase, projections, register, maxRate, dropPrevious, done, of, startedAt }
}

function describeReplay(replay: ReplayState): string[] {
  const { id, projections, register, phase, done, of, isOwned } = replay
  const percentage = of === 0 ? 0 : Math.floor((100 * done) / of)
  const scope = `${projections.join(', ')} of ${register ?? 'all registers'}`
  const far = `${counted(done)} of ${counted(of)} events (${percentage} %)`
  const state = isOwned ? `running, ${phase}, ${far}` : `${statusOf(replay)} at ${far}, takes space`
  const goesOn = isOwned ? [] : [`  ${commandOf(replay)}   continues it`]
  return [
    `replay ${id} of ${scope}: ${state}`,
    ...goesOn,
    '  pledger replay --cancel   deletes the rows that it has built',
  ]
}

async function status({ db, description }: Session, isJson: boolean): Promise<void> {
  const heads = await listHeads(db)
  const seals = await sealStates(db, Date.now())
  const keys = await signingKeys(db)
  if (seals.some(({ refusedBecause }) => refusedBecause !== null)) process.exitCode = 1
  const projections = await projectionStates(db, PROJECTIONS, { now: Date.now(), underWay: await replaysUnderWay(db) })
  if (projections.some(({ status }) => status === 'stopped' || status === 'stuck')) process.exitCode = 1
  const replay = await unfinishedState(db)
  const registers = heads.map(({ register, size, recordedAt }) => ({
    register,
    size,
    recordedAt: recordedAt === null ? null : new Date(recordedAt).toISOString(),
    sealing: sealingOf(seals, keys, register),
    projections: projections.filter((projection) => projection.register === register),
  }))
  if (isJson) {
    process.stdout.write(
      `${JSON.stringify({ database: description, registers, operations: replay ? [jsonOf(replay)] : [] }, null, 2)}\n`,
    )
    return
  }
  process.stdout.write(`${description}\n`)
  if (registers.length === 0) process.stdout.write('no registers yet\n')
  for (const { register, size, recordedAt, projections: ofRegister } of registers) {
    process.stdout.write(`${register}: ${counted(size)} events, the last recorded ${recordedAt}\n`)
    const seal = seals.find((one) => one.register === register)
    if (seal) process.stdout.write(`  checkpoints: ${describeSealing(seal)}\n`)
    for (const { vkey } of keys.filter((key) => key.register === register))
      process.stdout.write(`  signed by ${vkey}\n`)
    for (const projection of ofRegister) process.stdout.write(`  ${projection.projection}: ${describe(projection)}\n`)
  }
  if (replay) process.stdout.write(`${describeReplay(replay).join('\n')}\n`)
}

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('show the registers, how far they are sealed and how far the projections have read them')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => withDatabase((session) => status(session, json === true)))
}
