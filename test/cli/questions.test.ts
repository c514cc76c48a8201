// What the command line says about a register: as the REST API says it, and in words.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { asRole, ROLES } from '../support/database.ts'
import { pledger } from '../support/process.ts'
import { lines, made, NDJSON, openDemo, posted } from '../support/register.ts'
import { type TestService, testService } from '../support/service.ts'

t.jobs = 2

/** A service, and the environment in which commands speak to its database. */
async function serve(t: Test) {
  const service = await testService(t)
  return { service, env: { PLEDGER_DATABASE_URL: asRole(service.url, ROLES.service) } }
}

const CITATIONS = [{ source: 'S1', locator: 'p. 4', quote: 'it is open', claimedBy: 'the mayor' }]

/** `demo` with a well that was dug late, and a tunnel that is still to be dug: size 11. */
async function openWell(service: TestService): Promise<void> {
  await openDemo(service)
  const { status, text } = await service.post('/v1/registers/demo/events', [
    made('well', { title: 'A well \u001b[31mwith water', due: '2026-01-31', programme: 'p1', parties: ['A'] }),
    posted('well', 'CommitmentRebaselined', '2026-01-20', { due: '2026-02-05', reason: 'frost' }),
    posted('well', 'MilestoneSet', '2026-01-20', { milestone: 'water', title: 'Water found', due: '2026-01-25' }),
    posted('well', 'MilestoneMet', '2026-01-27', { milestone: 'water' }),
    posted('well', 'StatusReported', '2026-02-01', { status: 'nearly done', means: 'late', note: 'mud' }),
    posted('well', 'DeliveryReported', '2026-02-12', {}, { citations: CITATIONS }),
    made('tunnel', { due: '2026-02-15' }),
  ])
  if (status !== 201) throw new Error(text)
}

/** The members of a JSON answer of a command that is done and says nothing else. */
async function json(t: Test, args: readonly string[], env: Record<string, string>) {
  const { code, out, err } = await pledger(t, [...args, '--json'], env)
  t.strictSame([code, err], [0, ''], args.join(' '))
  return JSON.parse(out)
}

/** The last event is recorded at whatever moment: its instant stands in the first lines of every text. */
async function text(t: Test, args: readonly string[], env: Record<string, string>) {
  const { code, out, err } = await pledger(t, args, env)
  t.strictSame([code, err], [0, ''], args.join(' '))
  return out.replace(/recorded at \S+/, 'recorded at …').split('\n')
}

t.test('--json has exactly the members of the REST answer, at both clocks and with every filter', async (t) => {
  const { service, env } = await serve(t)
  const imported = await service.post('/v1/registers/u/events', lines(...unionStateEvents()), NDJSON)
  t.equal(imported.status, 200)
  const R = '/v1/registers/u'
  await service.get(`${R}/summary?minSize=${imported.body.size}`)
  const cases: [args: string[], path: string][] = [
    [['summary', '--as-of', '2026-02-26'], 'summary?asOf=2026-02-26'],
    [
      ['summary', '--as-of', '2026-02-26', '--known-at', '60', '--group-by', 'theme', '--group-by', 'programme'],
      'summary?asOf=2026-02-26&knownAt=60&groupBy=theme,programme',
    ],
    [
      ['summary', '--as-of', '2026-02-26', '--programme', '', '--programme', 'union-treaty'],
      'summary?asOf=2026-02-26&programme=&programme=union-treaty',
    ],
    [['list', '--as-of', '2026-02-26', '--known-at', '60'], 'commitments?asOf=2026-02-26&knownAt=60'],
    [
      ['list', '--as-of', '2026-02-26', '--lifecycle', 'delivered', '--lifecycle', 'open', '--schedule', 'late'],
      'commitments?asOf=2026-02-26&lifecycle=delivered&lifecycle=open&schedule=late',
    ],
    [
      ['list', '--as-of', '2026-02-26', '--figure', 'missed', '--denominator', '--sort', '-slippageDays,title'],
      'commitments?asOf=2026-02-26&figure=missed&denominator=true&sort=-slippageDays,title',
    ],
    [
      ['list', '--as-of', '2026-02-26', '--q', 'market', '--verification', 'none', '--schedule-original', 'late'],
      'commitments?asOf=2026-02-26&q=market&verification=none&scheduleOriginal=late',
    ],
    [
      ['list', '--as-of', '2026-02-26', '--theme', 'tariffs', '--party', 'BY', '--programme', ''],
      'commitments?asOf=2026-02-26&theme=tariffs&party=BY&programme=',
    ],
    [
      ['show', 'communication-tariffs', '--as-of', '2024-06-30', '--known-at', '40'],
      'commitments/communication-tariffs?asOf=2024-06-30&knownAt=40',
    ],
  ]
  for (const [args, path] of cases) {
    const { status, body } = await service.get(`${R}/${path}`)
    t.equal(status, 200, path)
    t.strictSame(await json(t, [...args, '--register', 'u'], env), body, path)
  }
  const all = await json(t, ['list', '--register', 'u', '--as-of', '2026-02-26'], env)
  t.strictSame([all.items.length, all.next], [31, null], 'the whole list')
})

t.test('the figures of a register, its slippage and its groups stand in tables', async (t) => {
  const { service, env } = await serve(t)
  await openWell(service)
  await service.get('/v1/registers/demo/summary?minSize=11')
  const args = ['summary', '--register', 'demo', '--as-of', '2026-02-20', '--group-by', 'programme']
  t.strictSame(await text(t, args, env), [
    'demo as of 2026-02-20, known at size 11, the last event recorded at …',
    '3 commitments in scope',
    '',
    'figure                    count  of      share',
    'delivered                     1   3     33.3 %',
    'not delivered                 0   3      0.0 %',
    'late                          1   3     33.3 %',
    'late against original         1   3     33.3 %',
    'due                           2   3     66.7 %',
    'missed                        2   2    100.0 %',
    'verified                      0   1      0.0 %',
    'disputed                      0   1      0.0 %',
    'baseline execution index      1   2      0.500',
    'earned schedule               1   2  SPI 0.600',
    '',
    'slippage          of  mean  median  p90  max',
    'against original   2   8.5     8.5   12   12',
    'against current    2     6       6    7    7',
    '',
    'earned schedule: 30 of 50 days, variance -20; 75 days at completion, finish 2026-03-17',
    'not counted: 0 withdrawn, 0 superseded, 0 redacted',
    '',
    'in scope  delivered        %  late  missed  median days  programme',
    '       1          1  100.0 %     0       1            7  p1  Programme 1',
    '       2          0    0.0 %     1       1            5  no programme',
    '',
  ])
})

t.test('a list has a line for each commitment, in words, and nothing that a terminal would obey', async (t) => {
  const { service, env } = await serve(t)
  await openWell(service)
  await service.get('/v1/registers/demo/commitments?minSize=11')
  const args = ['list', '--register', 'demo', '--as-of', '2026-02-20']
  t.strictSame(await text(t, [...args, '--sort', '-slippageDays'], env), [
    'demo as of 2026-02-20, known at size 11, the last event recorded at …',
    '3 commitments',
    '',
    'id      lifecycle  schedule        verification  due         forecast  finished    days late  title',
    'well    delivered  delivered late  claimed       2026-02-05  –         2026-02-12          7  A well  [31mwith water',
    'tunnel  open       late            none          2026-02-15  –         –                   5  tunnel',
    'bridge  open       no due date     none          –           –         –                   –  bridge',
    '',
  ])
  t.strictSame(await text(t, [...args, '--lifecycle', 'withdrawn'], env), [
    'demo as of 2026-02-20, known at size 11, the last event recorded at …',
    '0 commitments',
    '',
  ])
})

t.test('a commitment is shown with its dates, what is claimed of it, and the sources', async (t) => {
  const { service, env } = await serve(t)
  await openWell(service)
  t.strictSame(await text(t, ['show', 'well', '--register', 'demo', '--as-of', '2026-02-20'], env), [
    'A well  [31mwith water',
    'well of demo as of 2026-02-20, known at size 11, the last event recorded at …',
    '',
    'status',
    '  lifecycle     delivered',
    '  schedule      delivered late, by its original dates delivered late',
    '  verification  claimed',
    '  programme     p1',
    '  parties       A',
    '',
    'dates',
    '  made             2026-01-01',
    '  original due     2026-01-31, 12 days late',
    '  current due      2026-02-05, 7 days late, 5 days after the original',
    '  forecast finish  –',
    '  actual finish    2026-02-12',
    '',
    'baselines',
    '     due         set         by       reason',
    '  0  2026-01-31  2026-01-01  event 4',
    '  1  2026-02-05  2026-01-20  event 5  frost',
    '',
    'milestones',
    '  due         met         days late  milestone',
    '  2026-01-25  2026-01-27          2  water  Water found',
    '',
    'claims',
    '  2026-02-01  reported as nearly done, which means late: mud (event 8)',
    '',
    'sources',
    '  S1, Source 1',
    '    event 9: p. 4; “it is open”; says the mayor',
    '',
  ])
  const earlier = await text(t, ['show', 'well', '--register', 'demo', '--as-of', '2026-01-10', '--known-at', '5'], env)
  t.strictSame(earlier.slice(4, 6), [
    '  lifecycle     open',
    '  schedule      on schedule, by its original dates on schedule',
  ])
})

t.test('what cannot be answered is said in one line: exit code 1, or 2 where the usage is wrong', async (t) => {
  const { service, env } = await serve(t)
  await openDemo(service)
  await service.get('/v1/registers/demo/summary?minSize=4')
  const cases: [args: string[], code: number, err: string][] = [
    [['summary', '--register', 'none'], 1, 'pledger: there is no register none\n'],
    [['summary', '--register', 'demo', '--known-at', '5'], 1, 'pledger: demo holds 4 events, not 5\n'],
    [['list', '--register', 'demo', '--known-at', '2999-01-01'], 1, 'pledger: 2999-01-01 lies in the future\n'],
    [
      ['show', 'tunnel', '--register', 'demo', '--as-of', '2026-02-20'],
      1,
      'pledger: commitment tunnel is not known as of 2026-02-20, known at size 4\n',
    ],
    [
      ['summary', '--register', 'demo', '--known-at', 'now'],
      2,
      'pledger: --known-at: expected a size, a day (YYYY-MM-DD) or an instant (RFC 3339)\n',
    ],
    [
      ['list', '--register', 'demo', '--as-of', '2026-02-30'],
      2,
      "error: option '--as-of <day>' argument '2026-02-30' is invalid. expected an existing day, YYYY-MM-DD.\n",
    ],
    [['list', '--register', 'demo', '--denominator'], 2, 'pledger: --denominator: goes with figure\n'],
    [
      ['list', '--register', 'demo', '--schedule-original', 'early'],
      2,
      'pledger: --schedule-original: Invalid option: expected one of "closed"|"noDueDate"|"deliveredOnTime"|' +
        '"deliveredLate"|"late"|"forecastLate"|"onSchedule"\n',
    ],
    [
      ['summary', '--register', 'demo', '--group-by', 'size'],
      2,
      'pledger: --group-by: expected programme, theme, party, not size\n',
    ],
    [
      ['summary', '--register', 'demo', '--programme', 'P 1'],
      2,
      'pledger: --programme: P 1 cannot be the id of a programme\n',
    ],
    [['show', '--register', 'demo'], 2, "error: missing required argument 'commitment'\n"],
  ]
  for (const [args, code, err] of cases) {
    t.strictSame(await pledger(t, args, env), { code, signal: null, out: '', err }, args.join(' '))
  }
})

t.test(
  'an answer that lacks what the projections have not read yet says so; one that names its size does not',
  async (t) => {
    const { service, env } = await serve(t)
    await openDemo(service)
    await service.get('/v1/registers/demo/summary?minSize=4')
    await service.runner.stop()
    t.equal((await service.post('/v1/registers/demo/events', made('tunnel'))).status, 201)
    const behind = await pledger(t, ['summary', '--register', 'demo', '--json'], env)
    t.strictSame(
      [behind.code, JSON.parse(behind.out).knownAt.size, behind.err],
      [0, 4, 'pledger: known at size 4 of 5: pledger serve keeps the projections up with the log\n'],
    )
    const named = await pledger(t, ['summary', '--register', 'demo', '--json', '--known-at', '4'], env)
    t.strictSame([named.code, named.err], [0, ''])
    t.strictSame(await pledger(t, ['list', '--register', 'demo', '--known-at', '5'], env), {
      code: 1,
      signal: null,
      out: '',
      err: 'pledger: size 5 is not reached yet; pledger serve keeps the projections up with the log\n',
    })
  },
)

t.test('where there is no database none is made: the command says which one it looked for', async (t) => {
  const dir = t.testdir()
  const data = join(dir, 'data')
  for (const args of [
    ['summary', '--register', 'demo'],
    ['list', '--register', 'demo'],
    ['show', 'a', '--register', 'demo'],
  ]) {
    t.strictSame(await pledger(t, args, { PLEDGER_DATA: data }), {
      code: 1,
      signal: null,
      out: '',
      err:
        `pledger: there is no embedded PostgreSQL in ${data}: pledger serve creates one; PLEDGER_DATA names another ` +
        'directory, PLEDGER_DATABASE_URL another database\n',
    })
  }
  t.strictSame(await readdir(dir), [])
})

t.test('a database without the schema of this version is left as it is', async (t) => {
  const empty = new URL((await serve(t)).service.url)
  empty.pathname = '/postgres'
  const { code, out, err } = await pledger(t, ['list', '--register', 'demo'], { PLEDGER_DATABASE_URL: empty.href })
  t.strictSame([code, out], [1, ''])
  t.match(err, /^pledger: PostgreSQL at \S+\/postgres lacks the migrations up to \d{4}-\S+: run pledger migrate\n$/)
})

t.test('a delivery before its due day is early, not late by less than nothing', async (t) => {
  const { service, env } = await serve(t)
  await openDemo(service)
  const { status, text: answer } = await service.post('/v1/registers/demo/events', [
    made('ferry', { due: '2026-02-15' }),
    posted('ferry', 'DeliveryReported', '2026-02-01', {}),
  ])
  t.equal(status, 201, answer)
  const shown = await text(t, ['show', 'ferry', '--register', 'demo', '--as-of', '2026-02-20'], env)
  t.match(
    shown.find((line) => line.includes('original due')),
    /2026-02-15, 14 days early$/,
  )
})
