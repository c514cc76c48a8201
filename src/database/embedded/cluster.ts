// Creating the files of a server: whole or not at all, whatever is killed meanwhile and however many processes try at once.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, link, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Account, run, type Tools } from './account.ts'
import { codeOf, EmbeddedError, readIfThere, type ServerFiles } from './files.ts'
import { isAlive } from './pid-file.ts'

/** The role that owns everything in the server. */
export const SUPERUSER = 'pledger'

/**
 * Creates the server's files if there are none. They are made in a directory of this process's own and then renamed, so that a
 * kill leaves no half-made cluster. Of two processes that do this at once, the slower one discards its files. Throws
 * EmbeddedError where other files are in the way, or a cluster of another version of PostgreSQL.
 */
export async function ensureCluster(files: ServerFiles, tools: Tools): Promise<void> {
  await removeDeadStages(files)
  if (await readIfThere(join(files.cluster, 'PG_VERSION'))) return checkVersion(files, tools)
  await refuseStrangeCluster(files)
  files.log(`creating a PostgreSQL database cluster in ${files.cluster}`)
  const stage = await mkdtemp(join(files.dir, `postgres.init-${process.pid}-`))
  try {
    if (tools.account) await chown(stage, tools.account.uid, tools.account.gid)
    await ensurePassword(files, stage, tools.account)
    await initdb(files, join(stage, 'data'), tools)
    await moveIntoPlace(join(stage, 'data'), files)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function initdb(files: ServerFiles, dir: string, tools: Tools): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const zones = ['--set=timezone=UTC', '--set=log_timezone=UTC']
  const access = [`--username=${SUPERUSER}`, `--pwfile=${files.passwordFile}`, '--auth=scram-sha-256']
  const ran = await run(tools.initdb, ['-D', dir, ...access, ...locale, ...zones], tools.account)
  if (ran.code !== 0) throw new EmbeddedError(`initdb failed in ${files.dir}: ${ran.output}`)
}

async function moveIntoPlace(made: string, files: ServerFiles): Promise<void> {
  try {
    await rename(made, files.cluster)
  } catch (error) {
    // Another process was quicker; both used the one password.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
  }
  const parent = await open(files.dir, 'r')
  await parent.sync().finally(() => parent.close())
}

/** Writes a random password where there is none, in one step: of two processes the first one's password stays. */
async function ensurePassword(files: ServerFiles, stage: string, account: Account | null): Promise<void> {
  if (existsSync(files.passwordFile)) return
  const draft = join(stage, 'password')
  const file = await open(draft, 'wx', 0o600)
  await file.writeFile(`${randomBytes(24).toString('base64url')}\n`)
  if (account) await file.chown(account.uid, account.gid)
  await file.sync()
  await file.close()
  await link(draft, files.passwordFile).catch((error) => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

/** Removes what killed processes left. A process id that was given out again keeps its directory for ten minutes more. */
async function removeDeadStages(files: ServerFiles): Promise<void> {
  for (const name of await readdir(files.dir)) {
    const pid = /^postgres\.init-(\d+)-/.exec(name)?.[1]
    if (pid === undefined) continue
    const stage = join(files.dir, name)
    const made = await stat(stage).catch(() => null)
    const old = made !== null && Date.now() - made.mtimeMs > 600_000
    // The killed process's initdb may still be writing into it; what stays is removed by the next start.
    if (old || !isAlive(Number(pid))) await rm(stage, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
  }
}

async function refuseStrangeCluster(files: ServerFiles): Promise<void> {
  const found = await readdir(files.cluster).catch(() => [])
  if (found.length === 0) return
  throw new EmbeddedError(
    `${files.cluster} holds files but no PostgreSQL database (no PG_VERSION); ` +
      'restore it or move it away, or set PLEDGER_DATA to another directory',
  )
}

async function checkVersion(files: ServerFiles, tools: Tools): Promise<void> {
  const theirs = (await readFile(join(files.cluster, 'PG_VERSION'), 'utf8')).trim()
  const said = await run(tools.initdb, ['--version'], tools.account)
  const ours = /\) (\d+)/.exec(said.output)?.[1]
  if (theirs === ours) return
  if (ours === undefined) throw new EmbeddedError(`${tools.initdb} does not run: ${said.output}`)
  throw new EmbeddedError(
    `${files.cluster} was made by PostgreSQL ${theirs}, and the embedded one is ${ours}; export the registers with ` +
      'the release that made it and import them here, or set PLEDGER_DATABASE_URL to a server of that version',
  )
}
