import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openDatabase } from '../../../src/database/pool.ts'
import { createRegisterHeads, type RegisterHeadsOptions } from '../../../src/projections/core/heads.ts'
import { createRecorder } from '../../../src/recording/recorder.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { testDatabaseUrl } from '../../support/database.ts'
import { until } from '../../support/patience.ts'
import { made, OPENED, posted } from '../../support/register.ts'

/** What a process of the service has: heads, and a recorder that tells them. */
function processOn(t: Test, connectionString: string, options: RegisterHeadsOptions = {}) {
  const db = openDatabase({ connectionString })
  const heads = createRegisterHeads(db, options)
  t.teardown(async () => {
    await heads.stop()
    await db.destroy()
  })
  const recorder = createRecorder(db, createRegisters(), { now: Date.now, onRecorded: heads.grew })
  const record = async (...events: ReturnType<typeof posted>[]) => {
    const whole = events.map((event) => ({ typeVersion: 1, citations: [], ...event }))
    // Safe: what `posted` gives is what a body is parsed to.
    await recorder.record('demo', [whole as never], 'local')
  }
  return { heads, record, open: () => record(posted('$register', 'RegisterOpened', '2026-01-01', OPENED)) }
}

t.test('a head is known once it was read, and not what is older than this process has written', async (t) => {
  const { heads, record, open } = processOn(t, await testDatabaseUrl(t))
  t.equal(heads.peek('demo'), null)
  t.equal(await heads.read('demo'), null)
  await open()
  t.equal(heads.peek('demo'), null)
  t.equal((await heads.read('demo'))?.size, 1)
  t.equal(heads.peek('demo')?.size, 1)
  const before = heads.read('demo')
  await record(made('bridge'))
  await before
  t.not(heads.peek('demo')?.size, 1)
  t.equal((await heads.read('demo'))?.size, 2)
})

t.test('readings that nothing has changed give the same object', async (t) => {
  const { heads, open } = processOn(t, await testDatabaseUrl(t))
  await open()
  const first = await heads.read('demo')
  await heads.read('demo')
  t.equal(heads.peek('demo'), first)
})

t.test('whoever follows hears of every growth, of this process and of others, until it ends that', async (t) => {
  const url = await testDatabaseUrl(t)
  const [here, there] = [processOn(t, url), processOn(t, url)]
  await here.open()
  const heard: number[] = []
  const end = here.heads.follow('demo', ({ size }) => heard.push(size))
  await until('the size is heard', () => heard.at(-1) === 1)
  await here.record(made('bridge'))
  await until('the size is heard', () => heard.at(-1) === 2)
  await there.record(made('road'))
  await until('the size is heard', () => heard.at(-1) === 3)
  end()
  await here.record(made('tunnel'))
  await here.heads.read('demo')
  t.strictSame(heard, [1, 2, 3])
})

t.test(
  'other processes are told that a log grew, once for much that comes at once, and not the one that wrote',
  async (t) => {
    const url = await testDatabaseUrl(t)
    const notified = { here: 0, there: 0 }
    const listening = (which: keyof typeof notified) => ({
      connectionString: url,
      onAppend: () => (notified[which] += 1),
    })
    const here = processOn(t, url, listening('here'))
    processOn(t, url, listening('there'))
    await here.open()
    // Until the other listens, which nothing says.
    const asked = setInterval(() => here.heads.grew('demo', 1), 50)
    await until('the other is told', () => notified.there > 0)
    clearInterval(asked)
    await sleep(100)
    const before = notified.there
    for (let size = 0; size < 100; size += 1) here.heads.grew('demo', size)
    await until('the other is told', () => notified.there > before)
    await sleep(100)
    t.ok(notified.there - before <= 2, `${notified.there - before} notified`)
    t.equal(notified.here, 0)
  },
)

t.test('while the database is away reading fails, and memory is not used for long', async (t) => {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url })
  const errors: unknown[] = []
  const heads = createRegisterHeads(db, { onError: (error) => errors.push(error) })
  const { open } = processOn(t, url)
  await open()
  await heads.read('demo')
  await db.destroy()
  t.equal(heads.peek('demo')?.size, 1)
  await until('what is too old is forgotten', () => heads.peek('demo') === null)
  await t.rejects(heads.read('demo'))
  t.ok(errors.length > 0)
  await heads.stop()
})
