// `pledger verify log`: a whole log checked from its first event, of a database, a web server or a directory, and for a
// database what its projections hold.

import type { Command } from 'commander'
import type { Database, Queryable } from '../database/pool.ts'
import type { Verifier } from '../integrity/tlog/note.ts'
import { databaseLog, listLogs } from '../integrity/verifying/log-database.ts'
import { directoryFiles, filesLog, UnavailableLogError, webFiles } from '../integrity/verifying/log-files.ts'
import { isOfOtherLog, keyLabel, VerificationError } from '../integrity/verifying/verify.ts'
import { type LogSource, type LogVerdict, verifyLog } from '../integrity/verifying/verify-log.ts'
import { assertNever } from '../kernel/assert-never.ts'
import { checkProjection } from '../projections/checking/check.ts'
import { type ProjectionName, VERSIONS } from '../projections/core/versions.ts'
import { createRegisters, type KnownRegister } from '../registers/registers.ts'
import {
  CommandError,
  configuration,
  counted,
  registerOption,
  showProgress,
  withDatabase,
  writeOut,
} from './program.ts'
import { readKeysOption } from './public-keys.ts'

export const EXIT_CODES =
  '\nExit codes: 0 everything listed as verified holds; 1 unavailable or unreadable, so nothing was checked; 2 wrong usage;\n' +
  '3 invalid or unknown content.'

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

async function verifySource(source: LogSource, keys: Keys): Promise<LogVerdict> {
  const progress = showProgress(`verify ${source.register}`, source.size, 'events')
  const verdict = await verifyLog(source, { keys, onProgress: (done) => progress.update(done, 'checked') }).finally(
    () => progress.stop(),
  )
  if (verdict.fault) throw verdict.fault
  await writeOut(summaryOf(source, verdict, keys))
  return verdict
}

async function writeOpen(open: readonly string[]): Promise<void> {
  for (const one of open) await writeOut(`  not verified: ${one}\n`)
}

/** What nothing proves of what a log shows. */
function notVerified({ newest }: LogSource, { events, sealed, redactedRepairs }: LogVerdict): string[] {
  const open: string[] = []
  if (newest !== null && events > sealed)
    open.push(
      `the last ${counted(events - sealed)} events: no checkpoint covers them yet, so the operator can still change them`,
    )
  if (newest !== null) open.push('signedAt, fromSize and toSize: no signature binds them')
  if (redactedRepairs > 0)
    open.push(
      `what ${counted(redactedRepairs)} redacted repairs were about (data.event): their hashes can no longer be checked`,
    )
  return open
}

// Safe: the keys of the object are these names.
const NAMES = Object.keys(VERSIONS) as ProjectionName[]

/**
 * Holds what a projection says of a register against its log; in words what could not be checked. Throws
 * VerificationError.
 */
async function verifyProjection(
  tx: Queryable,
  known: KnownRegister,
  projection: ProjectionName,
): Promise<string | null> {
  const { register, head } = known
  const where = `${projection} of ${register}`
  const progress = showProgress(`verify ${where}`, head.size, 'events')
  let folded = 0
  const onProgress = (events: number) => {
    folded += events
    progress.update(folded, 'folded')
  }
  const check = await checkProjection(tx, known, projection, { onProgress }).finally(() => progress.stop())
  switch (check.kind) {
    case 'unchecked':
      return `${where}: ${check.why}`
    case 'differs':
      throw new VerificationError(`${where} at size ${check.size}`, `${check.why}; run pledger replay`)
    case 'holds': {
      const { size, sha256 } = check
      const behind = size < head.size ? `, ${counted(head.size - size)} events behind the log` : ''
      await writeOut(`  ${where} at size ${counted(size)}${behind}: digest ${sha256}, as the log gives it\n`)
      return null
    }
    default:
      return assertNever(check)
  }
}

/** One register of a database: its log and its projections as they are at one moment. */
async function verifyRegister(db: Database, register: string, keys: Keys): Promise<void> {
  const moment = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  await moment.execute(async (tx) => {
    const source = await databaseLog(tx, register)
    const verdict = await verifySource(source, keys)
    const known = await createRegisters().read(tx, register)
    if (!known) throw new VerificationError('the register', 'the reader does not know it')
    const open: string[] = []
    for (const projection of NAMES) {
      const unchecked = await verifyProjection(tx, known, projection)
      if (unchecked !== null) open.push(unchecked)
    }
    await writeOpen([...open, ...notVerified(source, verdict)])
  })
}

async function verifyDatabase(db: Database, { register }: Options, keys: Keys): Promise<void> {
  const known = await listLogs(db)
  if (register !== undefined && !known.includes(register)) throw new CommandError(`there is no register ${register}`)
  if (known.length === 0) await writeOut('no registers yet\n')
  for (const one of register === undefined ? known : [register]) {
    const ofIt = keys?.filter(({ name }) => name.endsWith(`/${one}`)) ?? null
    if (ofIt?.length === 0) throw new CommandError(`none of the keys is of the register ${one}: give --register`, 2)
    await verifyRegister(db, one, ofIt)
  }
}

async function verifyFiles(target: string, { register }: Options, keys: Keys): Promise<void> {
  const files = /^https?:\/\//.test(target) ? webFiles(target) : directoryFiles(target)
  const source = await filesLog(files)
  if (register !== undefined && register !== source.register)
    throw new VerificationError('the checkpoint', `it is of the register ${source.register}, not of ${register}`)
  const { newest } = source
  if (keys && newest !== null && isOfOtherLog(newest, keys)) {
    const names = [...new Set(keys.map(({ name }) => name))].join(', ')
    throw new CommandError(`none of the keys is of the log of ${source.register}: they are of ${names}`, 2)
  }
  await writeOpen(notVerified(source, await verifySource(source, keys)))
}

/**
 * A database as it is. It is not migrated, because a verifier may have no right to change it. The embedded one is
 * migrated, since nobody else brings it up to date.
 */
async function verifyConfigured(address: string | undefined, options: Options, keys: Keys): Promise<void> {
  const config = configuration()
  const databaseUrl = address ?? config.databaseUrl
  const where = { config: () => ({ ...config, databaseUrl }), mode: databaseUrl === null ? 'attach' : 'look' } as const
  try {
    await withDatabase(({ db }) => verifyDatabase(db, options, keys), where)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code === '42501') throw new CommandError(`${message}: to verify takes select on every table`)
    if (code === '42P01' || code === '42703')
      throw new CommandError(`${message}: this is no database of this version of Pledger; pledger migrate makes it one`)
    throw error
  }
}

async function verifyTarget(target: string | undefined, options: Options): Promise<void> {
  const keys = options.key === undefined ? null : await readKeysOption(options.key)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(target ?? '')?.[1]
  if (scheme !== undefined && !/^(?:https?|postgres(?:ql)?)$/.test(scheme))
    throw new CommandError(`${target} is no http, https or postgres address, and no directory`, 2)
  if (target !== undefined && !scheme?.startsWith('postgres')) return verifyFiles(target, options, keys)
  return verifyConfigured(target, options, keys)
}

async function verifyLogOf(target: string | undefined, options: Options): Promise<void> {
  try {
    await verifyTarget(target, options)
  } catch (error) {
    if (error instanceof VerificationError) throw new CommandError(`verification failed: ${error.message}`, 3)
    if (error instanceof UnavailableLogError) throw new CommandError(error.message)
    throw error
  }
}

export function verifyLogCommand(verify: Command): void {
  verify
    .command('log')
    .description('check a log from its first event: contents, leaves, tiles, roots, signatures, and projections')
    .argument('[target]', 'a register or an exported tree (http://…), a directory, or postgres://…; else the database')
    .option(
      '--register <id>',
      'only this register of a database; elsewhere, the register that the log must be of',
      registerOption,
    )
    .option(
      '--key <vkey>',
      'the public key of the log, or a file of keys; by default the keys that the log lists itself',
    )
    .addHelpText('after', EXIT_CODES)
    .action(verifyLogOf)
}
