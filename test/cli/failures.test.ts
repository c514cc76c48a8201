// Commands that cannot do what they are asked, that are stopped, or that begin where nothing is yet.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { commandDatabase } from '../support/commands.ts'
import { pledger, start } from '../support/process.ts'
import { lines, made, OPENED, posted, uuid } from '../support/register.ts'
import { temporaryDirectory } from '../support/serving.ts'

const opening = posted('$register', 'RegisterOpened', '2026-01-01', OPENED, { id: uuid(1) })
const bridge = made('bridge', {}, { id: uuid(2) })

t.jobs = 3

t.test('--help documents the commands and the environment', async (t) => {
  const { code, out } = await pledger(t, ['--help'])
  t.equal(code, 0)
  for (const word of ['serve', 'migrate', 'import', 'export', 'sample', 'status', 'digest', 'seal'])
    t.match(out, new RegExp(`\\n  ${word}`))
  for (const name of ['DATABASE_URL', 'DATA', 'HOST', 'PORT', 'LOG_LEVEL', 'ACCESS']) {
    t.match(out, new RegExp(`\\nPLEDGER_${name} {2,}\\S`), name)
  }
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  t.strictSame(await pledger(t, ['--version']), { code: 0, signal: null, out: `${version}\n`, err: '' })
})

t.test('a wrong variable is one line and wrong usage, for every command', async (t) => {
  for (const args of [['serve'], ['status']]) {
    t.strictSame(await pledger(t, args, { PLEDGER_PORT: 'http' }), {
      code: 2,
      signal: null,
      out: '',
      err: 'pledger: PLEDGER_PORT is "http"; expected a whole number from 0 to 65535\n',
    })
  }
})

t.test('an unknown command or option is wrong usage', async (t) => {
  for (const args of [
    ['destroy'],
    ['status', '--yaml'],
    ['import', 'a', 'b', '--register', 'demo'],
    ['sample', 'mars'],
  ]) {
    const { code, out, err } = await pledger(t, args)
    t.strictSame({ code, out }, { code: 2, out: '' }, args.join(' '))
    t.match(err, /^error: .+\n/)
  }
  const { code, err } = await pledger(t, [])
  t.equal(code, 2)
  t.match(err, /^Usage: pledger /)
})

t.test('a database that cannot be reached is one line', async (t) => {
  const env = { PLEDGER_DATABASE_URL: 'postgres://pledger:secret@127.0.0.1:1/pledger', PLEDGER_ACCESS: 'tokens' }
  for (const command of ['status', 'serve']) {
    const { code, out, err } = await pledger(t, [command], env)
    t.strictSame({ code, out }, { code: 1, out: '' })
    t.match(err, /^pledger: the database cannot be reached: [^\n]*\n$/)
    t.notMatch(err, /secret/)
  }
})

t.test('a database that is not there is one line too', async (t) => {
  const { env } = await commandDatabase(t)
  const address = env.PLEDGER_DATABASE_URL.replace(/\/test_[0-9a-f]+/, '/no_such_database')
  const { code, out, err } = await pledger(t, ['serve'], { PLEDGER_DATABASE_URL: address, PLEDGER_ACCESS: 'tokens' })
  t.strictSame({ code, out }, { code: 1, out: '' })
  t.equal(err, 'pledger: the database cannot be used: database "no_such_database" does not exist\n')
})

t.test('an import says what is wrong with its file or its register', async (t) => {
  const { env } = await commandDatabase(t)
  const dir = await temporaryDirectory(t)
  await writeFile(join(dir, 'empty.ndjson'), '')
  const refused = async (file: string) => (await pledger(t, ['import', file, '--register', 'demo'], env)).err
  t.equal(await refused(dir), `pledger: ${dir} is a directory\n`)
  t.equal(await refused(join(dir, 'none')), `pledger: there is no file ${join(dir, 'none')}\n`)
  t.equal(
    await refused(join(dir, 'empty.ndjson')),
    'pledger: there is no register demo, and the first line does not open it (RegisterOpened)\n',
  )
})

t.test('an export that cannot be written to its end says so, and leaves no half file behind', async (t) => {
  const { env } = await commandDatabase(t)
  await pledger(t, ['import', '-', '--register', 'demo'], env, lines(opening, bridge))
  const dir = await temporaryDirectory(t)
  await writeFile(join(dir, 'there.ndjson'), 'mine')
  const taken = await pledger(t, ['export', '--register', 'demo', '--output', join(dir, 'there.ndjson')], env)
  t.strictSame([taken.code, await readFile(join(dir, 'there.ndjson'), 'utf8')], [1, 'mine'])
  const full = await pledger(t, ['export', '--register', 'demo', '--output', '/dev/full'], env)
  t.equal(full.code, 1)
})

t.test('a signal ends a command that waits for its input, and the database that it started', async (t) => {
  const dir = await temporaryDirectory(t)
  const { child, ended } = start(t, ['import', '-', '--register', 'demo'], { PLEDGER_DATA: dir })
  const pidFile = join(dir, 'postgres/postmaster.pid')
  child.stdin?.write(lines(opening, bridge))
  while (!(await readFile(pidFile, 'utf8').catch(() => ''))) await sleep(50)
  child.kill('SIGTERM')
  const { code, err } = await ended
  t.equal(code, 143)
  t.match(err, /^pledger: interrupted: /)
  t.equal(await readFile(pidFile, 'utf8').catch(() => 'gone'), 'gone')
})

t.test('a stop during the first start is clean, and the next start completes the samples', async (t) => {
  const dir = await temporaryDirectory(t)
  const env = { PLEDGER_DATA: dir, PLEDGER_PORT: '0' }
  const first = start(t, ['serve', '--samples'], env)
  await first.says(/union-state: 108 recorded/)
  first.child.kill('SIGINT')
  t.equal((await first.ended).code, 0)
  t.equal(await readFile(join(dir, 'postgres/postmaster.pid'), 'utf8').catch(() => 'gone'), 'gone')
  const second = start(t, ['serve', '--samples'], env)
  await second.says(/synthetic-310 \(2,244 events\), union-state \(108 events\)/)
  second.child.kill('SIGTERM')
  t.equal((await second.ended).code, 0)
})

t.test('samples that were cut off are completed, and a database of one’s own gets none', async (t) => {
  const { env } = await commandDatabase(t)
  const some = unionStateEvents().slice(0, 40)
  await pledger(t, ['import', '-', '--register', 'union-state'], env, lines(...some))
  const service = start(t, ['serve', '--samples', '--unsafe-database'], { ...env, PLEDGER_PORT: '0' })
  await service.says(/synthetic-310 \(2,244 events\), union-state \(108 events\)/)
  service.child.kill('SIGTERM')
  t.equal((await service.ended).code, 0)

  const { env: own } = await commandDatabase(t)
  await pledger(t, ['import', '-', '--register', 'demo'], own, lines(opening))
  const other = start(t, ['serve', '--samples', '--unsafe-database'], { ...own, PLEDGER_PORT: '0' })
  await other.says(/registers {2}demo \(1 event\)\n/)
  other.child.kill('SIGTERM')
  t.equal((await other.ended).code, 0)
})
