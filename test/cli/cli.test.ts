import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { VERSIONS } from '../../src/projections/core/versions.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { commandDatabase } from '../support/commands.ts'
import { pledger, start } from '../support/process.ts'
import { lines, made, OPENED, posted, uuid } from '../support/register.ts'
import { temporaryDirectory } from '../support/serving.ts'

const opening = posted('$register', 'RegisterOpened', '2026-01-01', OPENED, { id: uuid(1) })
const bridge = made('bridge', {}, { id: uuid(2) })
const tunnel = made('tunnel', {}, { id: uuid(3) })
/** The events of the sample union-state. */
const COUNT = unionStateEvents().length

t.jobs = 3

/** What a command left besides its standard output, which a test looks at by itself. */
const withoutOut = ({ code, signal, err }: { code: number | null; signal: string | null; err: string }) => ({
  code,
  signal,
  err,
})

t.test('migrate brings an empty database up to date, and says when it is', async (t) => {
  const { env, name } = await commandDatabase(t)
  const again = await pledger(t, ['migrate'], env)
  t.strictSame(again, { code: 0, signal: null, out: `${name}: up to date\n`, err: '' })
  t.notMatch(again.out, /:[^/@]+@/, 'no password is shown')
})

t.test('an import records file and standard input alike, and only what is new', async (t) => {
  const { env } = await commandDatabase(t)
  const file = join(await temporaryDirectory(t), 'events.ndjson')
  await writeFile(file, lines(opening, bridge))
  t.strictSame(await pledger(t, ['import', file, '--register', 'demo'], env), {
    code: 0,
    signal: null,
    out: 'demo: 2 recorded, 0 already recorded, 0 refused\n',
    err: '',
  })
  t.strictSame(await pledger(t, ['import', '-', '--register', 'demo'], env, lines(opening, bridge, tunnel)), {
    code: 0,
    signal: null,
    out: 'demo: 1 recorded, 2 already recorded, 0 refused\n',
    err: '',
  })
})

t.test('a refused line is told with its number, the rest is recorded, and the exit code is 1', async (t) => {
  const { env } = await commandDatabase(t)
  const text = lines(opening, { ...bridge, occurredOn: '2026-02-30' }, 'x', tunnel, { ...tunnel, id: uuid(4) })
  const { code, out, err } = await pledger(t, ['import', '-', '--register', 'demo'], env, text)
  t.equal(code, 1)
  t.equal(out, 'demo: 2 recorded, 0 already recorded, 3 refused\n')
  const told = err.split('\n')
  t.equal(
    told[0],
    'line 2 refused: invalid-body at /occurredOn: expected an existing date: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B ' +
      `(${uuid(2)})`,
  )
  t.match(told[1], /^line 3 refused: malformed: \S/)
  t.equal(told[2], `line 5 refused: already-made at /type: commitment tunnel is already made (${uuid(4)})`)
  t.strictSame(told.slice(3), [''])
})

t.test('an import that cannot begin says why in one line', async (t) => {
  const { env } = await commandDatabase(t)
  t.strictSame(await pledger(t, ['import', '/no/such/file', '--register', 'demo'], env), {
    code: 1,
    signal: null,
    out: '',
    err: 'pledger: there is no file /no/such/file\n',
  })
  t.strictSame(await pledger(t, ['import', '-', '--register', 'demo'], env, lines(bridge)), {
    code: 1,
    signal: null,
    out: '',
    err: 'pledger: there is no register demo, and the first line does not open it (RegisterOpened)\n',
  })
  t.strictSame(await pledger(t, ['import', '-', '--register', 'Demo'], env, lines(opening)), {
    code: 2,
    signal: null,
    out: '',
    err:
      "error: option '--register <id>' argument 'Demo' is invalid. expected an id: a-z, 0-9, then also . _ -, " +
      'at most 100 characters.\n',
  })
  t.strictSame(await pledger(t, ['import', '-'], env), {
    code: 2,
    signal: null,
    out: '',
    err: "error: required option '--register <id>' not specified\n",
  })
})

t.test('what export writes is what import takes back', async (t) => {
  const { env } = await commandDatabase(t)
  const dir = await temporaryDirectory(t)
  const [file, copied] = [join(dir, 'out.ndjson'), join(dir, 'copy.ndjson')]
  t.strictSame(await pledger(t, ['sample', 'union-state'], env), {
    code: 0,
    signal: null,
    out: `union-state: ${COUNT} recorded, 0 already recorded, 0 refused\n`,
    err: '',
  })
  const written = await pledger(t, ['export', '--register', 'union-state'], env)
  t.strictSame(withoutOut(written), { code: 0, signal: null, err: `union-state: ${COUNT} events exported\n` })
  const toFile = await pledger(t, ['export', '--register', 'union-state', '--output', file], env)
  t.strictSame(toFile, { code: 0, signal: null, out: '', err: `union-state: ${COUNT} events exported\n` })
  t.equal(await readFile(file, 'utf8'), written.out)
  const twice = await pledger(t, ['export', '--register', 'union-state', '--output', file], env)
  t.equal(twice.code, 1, 'a file that is there is not overwritten')
  t.equal(twice.err, `pledger: ${file} is there already: nothing was written\n`)
  t.equal(
    (await pledger(t, ['import', file, '--register', 'union-state'], env)).out,
    `union-state: 0 recorded, ${COUNT} already recorded, 0 refused\n`,
  )
  t.equal(
    (await pledger(t, ['import', file, '--register', 'copy'], env)).out,
    `copy: ${COUNT} recorded, 0 already recorded, 0 refused\n`,
  )
  await pledger(t, ['export', '--register', 'copy', '--output', copied], env)
  const events = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { recordedAt, salt, bodyHash, ...event } = JSON.parse(line)
        return event
      })
  t.strictSame(events(await readFile(copied, 'utf8')), events(written.out))
  t.strictSame(withoutOut(await pledger(t, ['export', '--register', 'nothing'], env)), {
    code: 1,
    signal: null,
    err: 'pledger: there is no register nothing\n',
  })
})

t.test('an export whose reader has seen enough ends quietly', async (t) => {
  const { env } = await commandDatabase(t)
  // More than a pipe holds.
  const sample = await pledger(t, ['sample', 'synthetic', '--commitments', '400', '--register', 'long'], env)
  t.equal(sample.code, 0)
  const { child, says, ended } = start(t, ['export', '--register', 'long'], env)
  await says(/\n/)
  child.stdout?.destroy()
  t.strictSame(withoutOut(await ended), { code: 0, signal: null, err: '' })
})

t.test('sample synthetic writes the same lines for the same options', async (t) => {
  const options = ['sample', 'synthetic', '--commitments', '40', '--delivered', '20', '--late', '3', '--ndjson']
  const [one, same, other] = await Promise.all(
    [options, options, [...options, '--seed', '2']].map((args) => pledger(t, args)),
  )
  t.strictSame(withoutOut(one as never), { code: 0, signal: null, err: '' })
  t.equal(one?.out, same?.out)
  t.not(one?.out, other?.out)
  t.equal(JSON.parse(one?.out.split('\n')[0] ?? '').type, 'RegisterOpened')
  const { env } = await commandDatabase(t)
  const events = (one?.out.split('\n').length ?? 0) - 1
  const report = `synthetic-40: ${events} recorded, 0 already recorded, 0 refused\n`
  t.equal((await pledger(t, ['import', '-', '--register', 'synthetic-40'], env, one?.out)).out, report)
  t.equal(
    (await pledger(t, options.slice(0, -1), env)).out,
    `synthetic-40: 0 recorded, ${events} already recorded, 0 refused\n`,
  )
})

t.test('synthetic options that cannot be met are wrong usage', async (t) => {
  const cases: [string[], string][] = [
    [['--delivered', '297'], '297 delivered and 14 late are more than 310 commitments'],
    [['--commitments', 'many'], '--commitments is "many"; expected a whole number'],
    [['--as-of', '2026-02-30'], 'asOf is "2026-02-30"; expected an existing day, YYYY-MM-DD'],
  ]
  for (const [options, complaint] of cases) {
    const { code, out, err } = await pledger(t, ['sample', 'synthetic', '--ndjson', ...options])
    t.strictSame({ code, out, err }, { code: 2, out: '', err: `pledger: ${complaint}\n` })
  }
  const { code, err } = await pledger(t, ['sample', 'synthetic', '--ndjson', '--as-of', '2034-12-31'])
  t.equal(code, 2)
  t.match(err, /^pledger: --as-of 2034-12-31 lies after today, \d{4}-\d\d-\d\d: it has not happened yet\n$/)
})

t.test('status tells the registers and how far the projections are', async (t) => {
  const { env, name } = await commandDatabase(t)
  t.strictSame(await pledger(t, ['status'], env), {
    code: 0,
    signal: null,
    out: `${name}\nno registers yet\n`,
    err: '',
  })
  await pledger(t, ['import', '-', '--register', 'demo'], env, lines(opening, bridge))
  const { out } = await pledger(t, ['status'], env)
  const names = ['commitments', 'periods', 'tallies'] as const
  const none = names.map((name) => ` {2}${name}: not started\\n`).join('')
  const unsealed = ' {2}checkpoints: no checkpoint yet, 2 events behind, the oldest recorded \\d+ s ago\\n'
  const register = 'demo: 2 events, the last recorded \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\n'
  t.match(out, new RegExp(`^[^\\n]+\\n${register}${unsealed}${none}$`))
  const { code, out: json } = await pledger(t, ['status', '--json'], env)
  t.equal(code, 0)
  const { database: description, registers } = JSON.parse(json)
  t.equal(description, name)
  t.match(registers[0].recordedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.strictSame(registers, [
    {
      register: 'demo',
      size: 2,
      recordedAt: registers[0].recordedAt,
      sealing: {
        size: 0,
        signedAt: null,
        behindEvents: 2,
        behindSeconds: registers[0].sealing.behindSeconds,
        refused: null,
        keys: [],
      },
      projections: names.map((projection) => ({
        projection,
        register: 'demo',
        status: 'notStarted',
        version: VERSIONS[projection],
        generation: null,
        size: 0,
        building: null,
        behindEvents: 2,
        behindSeconds: registers[0].projections[0].behindSeconds,
        stopped: null,
      })),
    },
  ])
})

t.test('digest tells the same of registers that hold the same, and fails where nothing has been read', async (t) => {
  const { env } = await commandDatabase(t)
  const log = lines(opening, bridge, tunnel)
  const registers = ['demo', 'same']
  await Promise.all(registers.map((register) => pledger(t, ['import', '-', '--register', register], env, log)))
  t.strictSame(await pledger(t, ['digest', 'periods', '--register', 'demo'], env), {
    code: 1,
    signal: null,
    out: '',
    err: 'pledger: periods: size 1 of demo is not reached yet\n',
  })
  const db = openDatabase({ connectionString: env.PLEDGER_DATABASE_URL })
  t.teardown(() => db.destroy())
  for (const register of registers) {
    for (const projection of PROJECTIONS) await catchUp(db, createRegisters(), projection, register)
  }
  const { code, out, err } = await pledger(t, ['digest'], env)
  t.strictSame([code, err], [0, ''])
  const told = out.trimEnd().split('\n')
  t.strictSame(
    told.map((line) => line.replace(/^[0-9a-f]{64} {2}/, '')),
    registers.flatMap((register) => [
      `${register} commitments at size 3, 2 rows`,
      `${register} periods at size 3, 2 rows`,
      `${register} tallies at size 3, 0 rows`,
    ]),
  )
  const sums = told.map((line) => line.slice(0, 64))
  t.strictSame(sums.slice(0, 3), sums.slice(3))
  const [json, beyond, unknown, none] = await Promise.all(
    [
      ['commitments', '--register', 'demo', '--size', '3', '--json'],
      ['--register', 'demo', '--size', '4'],
      ['figures'],
      ['--register', 'none'],
    ].map((args) => pledger(t, ['digest', ...args], env)),
  )
  const version = VERSIONS.commitments
  t.strictSame(JSON.parse(json?.out ?? ''), [
    { projection: 'commitments', register: 'demo', version, size: 3, rows: 2, sha256: sums[0] },
  ])
  t.strictSame([beyond?.code, beyond?.out], [1, ''])
  t.equal(beyond?.err, 'pledger: demo holds 3 events, not 4\n')
  t.equal(unknown?.code, 2)
  t.strictSame([none?.code, none?.err], [1, 'pledger: there is no register none\n'])
})
