// `pledger status`: the registers, and how far each projection has read them.

import type { Command } from 'commander'
import { listHeads } from '../eventlog/load.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { type ProjectionState, projectionStates } from '../projections/run.ts'
import { counted, type Session, withDatabase } from './program.ts'

function describe({ projection, size, behind, stopped }: ProjectionState): string {
  if (stopped !== null) return `${projection}: stopped at size ${counted(size)}: ${stopped}`
  if (size === 0) return `${projection}: not started`
  return behind === 0 ? `${projection}: caught up` : `${projection}: ${counted(behind)} events behind`
}

async function status({ db, description }: Session, isJson: boolean): Promise<void> {
  const heads = await listHeads(db)
  const projections = await projectionStates(db, PROJECTIONS)
  const registers = heads.map(({ register, size, recordedAt }) => ({
    register,
    size,
    recordedAt: recordedAt === null ? null : new Date(recordedAt).toISOString(),
    projections: projections.filter((projection) => projection.register === register),
  }))
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ database: description, registers }, null, 2)}\n`)
    return
  }
  process.stdout.write(`${description}\n`)
  if (registers.length === 0) process.stdout.write('no registers yet\n')
  for (const { register, size, recordedAt, projections: ofRegister } of registers) {
    process.stdout.write(`${register}: ${counted(size)} events, the last recorded ${recordedAt}\n`)
    for (const projection of ofRegister) process.stdout.write(`  ${describe(projection)}\n`)
  }
}

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('show the registers and how far the projections have read them')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => withDatabase((session) => status(session, json === true)))
}
