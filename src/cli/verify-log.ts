// `pledger verify log`: a whole log checked from its first event, of a database, a web server or a directory, and for a
// database what its projections hold.

import type { Command } from 'commander'
import { type Database, openDatabase } from '../database/pool.ts'
import { databaseLog, listLogs } from '../integrity/log-database.ts'
import { directoryFiles, filesLog, NotThere, webFiles } from '../integrity/log-files.ts'
import type { Verifier } from '../integrity/note.ts'
import { Fault, keyLabel } from '../integrity/verify.ts'
import { type LogSource, type LogVerdict, verifyLog } from '../integrity/verify-log.ts'
import { type ProjectionName, VERSIONS } from '../kernel/projection-versions.ts'
import { projectionDigest } from '../projections/digest.ts'
import { ProjectionBehind } from '../projections/run.ts'
import { createRegisters, type Registers } from '../registers.ts'
import { CommandError, counted, registerId, showProgress, withDatabase, writeOut } from './program.ts'
import { readKeysOption } from './public-keys.ts'

type Options = { register?: string; key?: string }
type Keys = readonly Verifier[] | null

function describeKeys(keys: Keys, { listedKeys }: LogSource): string {
  const names = (some: readonly Verifier[]) => some.map(keyLabel).join(', ')
  return keys ? `believed: ${names(keys)}` : `believed: ${names(listedKeys)}, which the log itself lists (give --key)`
}

function summaryOf(source: LogSource, verdict: LogVerdict, keys: Keys): string {
  const { events, sealed, checkpoints, byOtherKeys, redacted } = verdict
  const parts = [
    `${source.register}: ${counted(events)} events, every content, leaf, place and time as it was recorded`,
  ]
  if (redacted > 0) parts.push(`${counted(redacted)} of them redacted, each with the event that says so`)
  if (source.newest === null) parts.push('not sealed: there is no checkpoint to hold them against')
  else {
    const others =
      byOtherKeys > 0 ? `, ${counted(byOtherKeys)} of them signed only by keys that have retired or are not given` : ''
    parts.push(
      `${counted(sealed)} sealed, every tile and ${counted(checkpoints)} ${checkpoints === 1 ? 'checkpoint' : 'checkpoints'} hold${others}`,
    )
    parts.push(describeKeys(keys, source))
  }
  return `${parts.join('; ')}\n`
}

async function verifySource(source: LogSource, keys: Keys): Promise<void> {
  const progress = showProgress(`verify ${source.register}`, source.size, 'events')
  const verdict = await verifyLog(source, { keys, onProgress: (done) => progress.update(done, 'checked') }).finally(
    () => progress.stop(),
  )
  if (verdict.fault) throw verdict.fault
  await writeOut(summaryOf(source, verdict, keys))
}

// Safe: the keys of the object are these names.
const NAMES = Object.keys(VERSIONS) as ProjectionName[]

/** What a projection's rows come to; those that can be folded from the log anew are held against that. */
async function verifyProjection(
  db: Database,
  registers: Registers,
  register: string,
  projection: ProjectionName,
): Promise<void> {
  const where = `${projection} of ${register}`
  try {
    const stored = await projectionDigest(db, registers, { register, projection })
    const { sha256, size } = stored
    const held = (await registers.read(db, register))?.head.size ?? 0
    const behind = size < held ? `, ${counted(held - size)} events behind the log` : ''
    if (projection !== 'commitments') {
      const hint = 'not held against the log: pledger replay builds it anew and prints the digest'
      return await writeOut(`  ${where} at size ${counted(size)}${behind}: digest ${sha256}, ${hint}\n`)
    }
    const folded = await projectionDigest(db, registers, { register, projection, size, isFolded: true })
    if (folded.sha256 !== sha256)
      throw new Fault(where, `its rows at size ${size} are not what the log comes to; run pledger replay`)
    await writeOut(`  ${where} at size ${counted(size)}${behind}: digest ${sha256}, as the log comes to\n`)
  } catch (error) {
    if (!(error instanceof ProjectionBehind)) throw error
    await writeOut(`  ${where}: it has no rows yet\n`)
  }
}

/** One register of a database: its log as it is at one moment, then its projections. */
async function verifyRegister(db: Database, registers: Registers, register: string, keys: Keys): Promise<void> {
  const moment = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  await moment.execute(async (tx) => {
    await verifySource(await databaseLog(tx, register), keys)
  })
  for (const projection of NAMES) await verifyProjection(db, registers, register, projection)
}

async function verifyDatabase(db: Database, registers: Registers, { register }: Options, keys: Keys): Promise<void> {
  const known = await listLogs(db)
  if (register !== undefined && !known.includes(register)) throw new CommandError(`there is no register ${register}`)
  if (known.length === 0) await writeOut('no registers yet\n')
  for (const one of register === undefined ? known : [register]) {
    const ofIt = keys?.filter(({ name }) => name.endsWith(`/${one}`)) ?? null
    if (ofIt?.length === 0) throw new CommandError(`none of the keys is of the register ${one}`)
    await verifyRegister(db, registers, one, ofIt)
  }
}

async function verifyFiles(target: string, { register }: Options, keys: Keys): Promise<void> {
  const files = /^https?:\/\//.test(target) ? webFiles(target) : directoryFiles(target)
  const source = await filesLog(files)
  if (register !== undefined && register !== source.register)
    throw new Fault('the checkpoint', `it is of the register ${source.register}, not of ${register}`)
  await verifySource(source, keys)
}

async function verifyTarget(target: string | undefined, options: Options): Promise<void> {
  const keys = options.key === undefined ? null : await readKeysOption(options.key)
  if (target === undefined) return withDatabase(({ db, registers }) => verifyDatabase(db, registers, options, keys))
  if (!/^postgres(ql)?:\/\//.test(target)) return verifyFiles(target, options, keys)
  // As it is: whoever checks a database may not be allowed to change it, so it is not migrated.
  const db = openDatabase({ connectionString: target, max: 2 })
  await verifyDatabase(db, createRegisters(), options, keys).finally(() => db.destroy())
}

async function verifyLogOf(target: string | undefined, options: Options): Promise<void> {
  try {
    await verifyTarget(target, options)
  } catch (error) {
    if (error instanceof Fault) throw new CommandError(`verification failed: ${error.message}`, 3)
    if (error instanceof NotThere) throw new CommandError(error.message)
    throw error
  }
}

export function verifyLogCommand(verify: Command): void {
  verify
    .command('log')
    .description('check a log from its first event: contents, leaves, tiles, roots, signatures, and projections')
    .argument('[target]', 'a register or an exported tree (http://…), a directory, or postgres://…; else the database')
    .option('--register <id>', 'only this register of a database; elsewhere: which it is to be', registerId)
    .option('--key <vkey>', 'the public key of the log, or a file of them; by default those that it lists itself')
    .action(verifyLogOf)
}
