// The service under npm: however npm ends, the service and its PostgreSQL end with it. By real npm, in a data directory and on a
// port of their own.

import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { until } from '../support/patience.ts'
import { PLAIN_NODE } from '../support/process.ts'

const ROOT = join(import.meta.dirname, '../..')
const START = ['start']
const RUN = ['run', 'pledger', '--', 'serve']
/** As `npx pledger serve`, of a package that is not installed anywhere. */
const NPX = ['exec', '--call', 'node src/main.ts serve']

t.jobs = 2

async function dataDirectory(t: Test): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'pledger-npm-')))
  // Reachable for the user that PostgreSQL runs under where the tests run as root.
  await chmod(dir, 0o755)
  t.teardown(async () => {
    if (existsSync(join(dir, 'postgres/postmaster.pid'))) await (await openEmbedded(dir)).stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 10 })
  })
  return dir
}

/** The processes that have not ended, by id, with their parents. */
async function processes(): Promise<Map<number, number>> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat='])
  const found = stdout.matchAll(/^ *(\d+) +(\d+) +[^Z\s]/gm)
  return new Map([...found].map(([, pid, ppid]) => [Number(pid), Number(ppid)]))
}

async function descendantsOf(pid: number): Promise<number[]> {
  const all = await processes()
  const below = (parent: number): number[] => {
    const children = [...all].filter(([, ppid]) => ppid === parent).map(([child]) => child)
    return [...children, ...children.flatMap(below)]
  }
  return below(pid)
}

/** npm in a process group of its own, as in a terminal, once the service that it runs listens; and every process that it takes. */
async function npm(t: Test, args: readonly string[]) {
  const dir = await dataDirectory(t)
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm|PLEDGER)_/i.test(name))
  const env = { ...Object.fromEntries(inherited), ...PLAIN_NODE, PLEDGER_DATA: dir, PLEDGER_PORT: '0' }
  const child = spawn('npm', args, { cwd: ROOT, env, detached: true, stdio: 'pipe' })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await until('the service listens', () => /Ctrl-C stops/.test(said) || child.exitCode !== null)
  // Safe: a process that has said something has an id.
  const pid = child.pid as number
  const postmaster = Number((await readFile(join(dir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
  const service = await descendantsOf(pid)
  t.ok(service.length > 0, 'npm runs the service')
  t.teardown(async () => {
    const left = await processes()
    for (const one of [pid, ...service]) if (left.has(one)) process.kill(one, 'SIGKILL')
  })
  return { child, pid, dir, ended, all: [...service, postmaster], said: () => said }
}

async function endsWith(t: Test, running: Awaited<ReturnType<typeof npm>>, end: () => void): Promise<void> {
  end()
  await running.ended
  await until('every process has ended', async () => {
    const left = await processes()
    return running.all.every((pid) => !left.has(pid))
  })
  t.notOk(existsSync(join(running.dir, 'postgres/postmaster.pid')), 'PostgreSQL was stopped in order')
}

const CASES = [
  [START, 'SIGTERM'],
  [START, 'SIGKILL'],
  [RUN, 'SIGTERM'],
  [RUN, 'SIGINT'],
  [RUN, 'SIGHUP'],
  // npm passes SIGINT on to a shell alone, and the shell waits for the service: only Ctrl-C reaches it.
  [NPX, 'SIGTERM'],
  [NPX, 'SIGHUP'],
  [NPX, 'SIGKILL'],
] as const

for (const [args, signal] of CASES) {
  t.test(`npm ${args.join(' ')}: ${signal} to npm alone ends the service`, async (t) => {
    const running = await npm(t, args)
    await endsWith(t, running, () => running.child.kill(signal))
  })
}

for (const args of [START, NPX]) {
  t.test(`npm ${args.join(' ')}: Ctrl-C stops it in order, though npm sends it once more`, async (t) => {
    const running = await npm(t, args)
    await endsWith(t, running, () => process.kill(-running.pid, 'SIGINT'))
  })
}

t.test('a terminal that is closed stops it in order', async (t) => {
  const running = await npm(t, RUN)
  await endsWith(t, running, () => {
    // Nothing can be written any more.
    running.child.stdout.destroy()
    running.child.stderr.destroy()
    process.kill(-running.pid, 'SIGHUP')
  })
})
