// A replay by processes of their own: killed, run from the command line, begun by a service.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { beginReplay } from '../../../src/projections/replay/begin.ts'
import { unfinishedState } from '../../../src/projections/replay/phases.ts'
import { readReplayedRegisters } from '../../../src/projections/replay/progress.ts'
import { asRole, ROLES } from '../../support/database.ts'
import { pledger, start } from '../../support/process.ts'
import { digests } from '../../support/raw-log.ts'

import { base, EVERYTHING, generations, rawLog, rowsIn } from '../../support/replays.ts'

/** Works on a replay in a process of its own, which is killed when it has told so many lines; true where it was. */
async function killedAfter(url: string, operation: string, lines: number): Promise<boolean> {
  const script = join(import.meta.dirname, '../../support/replay-process.ts')
  const child = spawn(process.execPath, [script, url, operation], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let told = 0
  for await (const _ of createInterface({ input: child.stdout })) if (++told === lines) child.kill('SIGKILL')
  const [, signal] = await exited
  return signal === 'SIGKILL'
}

t.test('a replay that is killed, at whatever moment, goes on where it was and reads nothing twice', async (t) => {
  const { db, url, run } = await base(t)
  const before = { a: await digests(db, 'a'), b: await digests(db, 'b') }
  const events = rawLog(1).length + rawLog(2).length
  const { id } = await beginReplay(db, EVERYTHING)
  let kills = 0
  for (const lines of [1, 4, 9, 15, 3]) {
    kills += (await killedAfter(url, id, lines)) ? 1 : 0
    // As if the time had passed after which a silent process has given up its turn.
    await sql`update operation set beat_at = now() - interval '1 hour'`.execute(db)
  }
  t.ok(kills > 2, `${kills} kills`)
  const progress = await readReplayedRegisters(db, id)
  t.strictSame(await run({}), { state: 'caughtUp', failedBecause: null })
  const ended = await readReplayedRegisters(db, id)
  const folded = (rows: typeof ended) => rows.reduce((sum, row) => sum + row.folded, 0)
  const own = await sql<{ count: number }>`select count(*) as count from event where stream = '$register'`.execute(db)
  t.equal(folded(ended), events - (own.rows[0]?.count ?? 0), 'every event of a commitment is read once')
  t.ok(folded(progress) > 0, `${folded(progress)} were read before`)
  t.strictSame({ a: await digests(db, 'a'), b: await digests(db, 'b') }, before)
})

t.test('on the command line a replay prints plain lines and says how it ended', async (t) => {
  const { db, url } = await base(t)
  const env = { PLEDGER_DATABASE_URL: asRole(url, ROLES.service) }
  const done = await pledger(t, ['replay', 'periods', '--register', 'a', '--workers', '1', '--drop-previous'], env)
  t.match(done, { code: 0, out: /^periods, tallies: replayed \d+ events in [\d.]+ s, live\n/ })
  t.notOk(/\r/.test(done.err), 'no progress bar')
  t.strictSame(await generations(db, 'a'), [0, 1, 1])
  t.match(await pledger(t, ['replay', 'figures'], env), {
    code: 2,
    err: /expected one of commitments, periods, tallies/,
  })
  t.match(await pledger(t, ['replay', '--register', 'none'], env), { code: 1, err: /there is no register none/ })
  t.match(await pledger(t, ['replay', '--cancel'], env), { code: 1, err: /there is no replay to cancel/ })
  const both = await pledger(t, ['replay', '--register', 'b'], env)
  for (const name of ['commitments', 'periods', 'tallies']) {
    t.match(both.out, new RegExp(`^b ${name} at \\d+: [0-9a-f]{64}, as before$`, 'm'))
  }
  const dropped = await pledger(t, ['drop-previous'], env)
  t.match(dropped, { code: 0, out: /^dropped \w+/, err: '' })
  t.match(await pledger(t, ['drop-previous'], env), { code: 0, out: 'nothing to drop\n', err: '' })
  const none = await pledger(t, ['drop-previous', '--register', 'none'], env)
  t.match(none, { code: 1, out: '', err: 'pledger: there is no register none\n' })
  t.equal((await rowsIn(db, 'commitment_g0')) > 0, true)
})

t.test('after kill -9 the same command waits until the dead process has lost its turn, and goes on', async (t) => {
  const { db, url } = await base(t)
  const env = { PLEDGER_DATABASE_URL: asRole(url, ROLES.service) }
  const { child, ended } = start(t, ['replay', '--max-rate', '100'], env)
  for (let state = await unfinishedState(db); !state?.done; state = await unfinishedState(db)) await sleep(20)
  t.match(await pledger(t, ['replay', '--max-rate', '100'], env), { code: 1, err: /waiting .*\n.*is under way\n$/ })
  child.kill('SIGKILL')
  await ended
  const { code, out, err } = await pledger(t, ['replay', '--drop-previous'], env)
  t.equal(code, 0, err)
  t.match(err, /was at work a moment ago: waiting/)
  t.match(
    err,
    /goes on at \d+ of \d+ events, now as fast as it can, dropping .* \(before: at 100 events\/s at most, keeping/,
  )
  t.match(out, /^commitments, periods, tallies: replayed the last \d+ of \d+ events in [\d.]+ s, live\n/)
  t.equal(out.match(/: [0-9a-f]{64}, as before$/gm)?.length, 6)
  t.equal(await rowsIn(db, 'period_g0').catch(() => 0), 0, 'compared, and dropped')
})

t.test('a service has a process of its own work on a replay', async (t) => {
  const { db, url } = await base(t)
  const before = await digests(db, 'a')
  const service = start(t, ['serve', '--unsafe-database'], {
    PLEDGER_DATABASE_URL: asRole(url, ROLES.service),
    PLEDGER_PORT: '0',
  })
  const [, address] = await service.says(/listens on (\S+)/)
  const response = await fetch(`${address}/v1/projections/all/replay`, { method: 'POST' })
  t.equal(response.status, 202)
  const operation = `${address}${response.headers.get('location')}`
  let status = ''
  for (let looks = 0; status !== 'caughtUp' && looks < 300; looks += 1) {
    await sleep(100)
    // Safe: the shape of the answer is tested above.
    status = ((await (await fetch(operation)).json()) as { status: string }).status
  }
  t.equal(status, 'caughtUp')
  t.strictSame([await generations(db, 'a'), await digests(db, 'a')], [[1, 1, 1], before])
})
