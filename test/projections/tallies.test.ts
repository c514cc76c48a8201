import fc from 'fast-check'
import t from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { isEmpty } from '../../src/domain/portfolio/figure-inputs.ts'
import { summarise, summariseInputs } from '../../src/domain/portfolio/summary.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { liveBuilds } from '../../src/projections/core/live.ts'
import { projectionSize } from '../../src/projections/core/progress.ts'
import { periods } from '../../src/projections/periods/projection.ts'
import { readFigureInputs, type TallySelection } from '../../src/projections/tallies/newest.ts'
import { rolledUpEvery } from '../../src/projections/tallies/projection.ts'
import { readTallies, type TallyQuestion } from '../../src/projections/tallies/read.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabase, testDatabaseUrl } from '../support/database.ts'
import { anyRawLog, digests, insertRaw, PARTIES, PROGRAMMES, THEMES } from '../support/raw-log.ts'

const EPOCH = 16

/** Logs that are long enough for several seals, the same in every run. */
const logs = (count: number) =>
  fc.sample(
    anyRawLog(150).filter((log) => log.length > 6 * EPOCH),
    { numRuns: count, seed: 20_260_226 },
  )

const parts: TallyQuestion['parts'] = [
  { partOf: 'register', part: '' },
  { partOf: 'programme', part: null },
  { partOf: 'theme', part: null },
  { partOf: 'party', part: null },
  ...[...PROGRAMMES, ''].map((part) => ({ partOf: 'programme' as const, part })),
  { partOf: 'theme', part: THEMES[0] as string },
  { partOf: 'party', part: PARTIES[0] as string },
]

/** The figures of every part on every day, as one text. */
async function figures(db: Database, question: TallyQuestion): Promise<string> {
  const lines: string[] = []
  for (const { partOf, part, walk } of await readTallies(db, question)) {
    let index = 0
    for (const tally of walk()) {
      const asOf = question.days[index++] as number
      if (!tally.isEmpty()) lines.push(JSON.stringify([partOf, part, asOf, summarise(tally, asOf, null, () => '')]))
    }
  }
  return lines.sort().join('\n')
}

async function project(db: Database, register: string): Promise<void> {
  await catchUp(db, createRegisters(), periods, register)
  await catchUp(db, createRegisters(), rolledUpEvery(EPOCH), register)
}

const anyDay = fc.integer({ min: dayOf('2018-12-20'), max: dayOf('2028-06-01') })
const anyDays = fc.uniqueArray(anyDay, { minLength: 1, maxLength: 4 }).map((days) => days.sort((a, b) => a - b))

t.test('whichever seal a knowledge is answered from, every figure of every part is the same', async (t) => {
  const url = await testDatabaseUrl(t)
  const [db, other] = [openDatabase({ connectionString: url }), openDatabase({ connectionString: url })]
  t.teardown(() => Promise.all([db.destroy(), other.destroy()]))
  let compared = 0
  for (const [index, log] of logs(12).entries()) {
    const register = `r${index}`
    await insertRaw(db, register, log)
    await project(db, register)
    t.equal(await projectionSize(db, register, 'tallies'), log.length)
    const asked = fc.sample(fc.tuple(anyDays, fc.nat({ max: log.length })), { numRuns: 15, seed: index })
    for (const [days, size] of [...asked, [[dayOf('2024-02-29')], log.length] as [number[], number]]) {
      const question = { register, size, parts, days, withDays: true }
      // Without a seal all changes are added up: the service's own epoch is longer than these logs.
      const whole = await figures(other, question)
      if ((await figures(db, { ...question, epoch: EPOCH })) !== whole) t.fail(JSON.stringify({ register, days, size }))
      if (whole !== '') compared += 1
    }
  }
  t.ok(compared > 100, `${compared} compared`)
})

t.test(
  'seals are the same whether events came one at a time, in batches or all at once, or were built anew',
  async (t) => {
    const db = await testDatabase(t)
    const [log = []] = logs(1)
    const found: unknown[] = []
    for (const [register, size] of [
      ['one', 1],
      ['some', 23],
      ['all', log.length],
    ] as const) {
      for (let upTo = size; upTo < log.length + size; upTo += size) {
        await insertRaw(db, register, log.slice(Math.max(0, upTo - size), upTo))
        await project(db, register)
      }
      found.push(await digests(db, register))
    }
    const next = { ...periods, version: periods.version + 1 }
    const sealed = rolledUpEvery(EPOCH, next.version)
    await catchUp(db, createRegisters(), next, 'one')
    await catchUp(db, createRegisters(), sealed, 'one')
    const { commitment } = await digests(db, 'one')
    found.push({ ...(await digests(db, 'one', { periods: next.version, tallies: sealed.version })), commitment })
    t.ok(((await digests(db, 'all')).tally?.rows ?? 0) > 0, 'there are seals')
    t.equal(new Set(found.map((one) => JSON.stringify(one))).size, 1)
  },
)

t.test('what is kept of the newest knowledge gives the figures of every day that reading it gives', async (t) => {
  const url = await testDatabaseUrl(t)
  const [db, other] = [openDatabase({ connectionString: url }), openDatabase({ connectionString: url })]
  t.teardown(() => Promise.all([db.destroy(), other.destroy()]))
  const some = PROGRAMMES.slice(0, 2).map((part) => ({ partOf: 'programme' as const, part }))
  const asked: TallySelection[] = [{ sumOf: [{ partOf: 'register', part: '' }] }, { sumOf: some }, { each: 'party' }]
  for (const [index, log] of logs(3).entries()) {
    const register = `kept${index}`
    // Asked about at two sizes: what was kept of the first is not to show in the second.
    for (const [from, size] of [
      [0, 60],
      [60, log.length],
    ] as const) {
      await insertRaw(db, register, log.slice(from, size))
      await project(db, register)
      const build = (await liveBuilds(db, register)).periods?.build ?? null
      t.equal(build, `0.${log.slice(0, size).filter(({ salt }) => salt === null).length}`)
      // More than once about a day, and about days near to each other: from windows of a day, a month and a year.
      for (const asOf of fc.sample(anyDay, { numRuns: 25, seed: index }).flatMap((day) => [day, day + 1, day])) {
        for (const of of asked) {
          const question = { register, size, asOf, of, build }
          const kept = await readFigureInputs(db, question)
          const read = await readFigureInputs(other, { ...question, build: null })
          const shown = (partInputs: typeof kept) =>
            partInputs
              .filter(({ inputs }) => !isEmpty(inputs))
              .map(({ part, inputs }) => [part, summariseInputs(inputs, asOf, null, () => '')])
              .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
          if (JSON.stringify(shown(kept)) !== JSON.stringify(shown(read))) t.fail(JSON.stringify(question))
        }
      }
    }
  }
})
