// What the rows at scale call: each question of the service, at the functions that its route calls.

import type { Database } from '../../src/database/pool.ts'
import type { Countable } from '../../src/domain/figures.ts'
import { summarise } from '../../src/domain/portfolio/summary.ts'
import { readStreams } from '../../src/eventlog/streams.ts'
import { projectAt } from '../../src/projections/commitments/project.ts'
import { readStates } from '../../src/projections/commitments/read.ts'
import { ALL, readPage, type Wanted } from '../../src/projections/periods/read.ts'
import { WHOLE } from '../../src/projections/tallies/parts.ts'
import { readTallies } from '../../src/projections/tallies/read.ts'
import { createRegisters, type Registers, stateKnownAt } from '../../src/registers/registers.ts'
import type { Filter, Question } from './scale-questions.ts'

export type Reads = {
  /** The counts of a summary, without slippage and earned schedule. */
  counts: (question: Question) => Promise<unknown>
  /** A whole summary. */
  summary: (question: Question) => Promise<unknown>
  /** One commitment. */
  commitment: (question: Question) => Promise<unknown>
  /** The first page of a list, with the states that its answers are made of. */
  page: (question: Question) => Promise<unknown>
}

const PAGE = 100

/** The reads of a database; what registers define is kept in memory, as the service keeps it. */
export async function openReads(db: Database, registerNames: readonly string[]): Promise<Reads> {
  const clocks = await clocksOf(db, createRegisters(), registerNames)
  return {
    counts: (question) => readSummary(db, question, false),
    summary: (question) => readSummary(db, question, true),
    async commitment(question) {
      const at = clocks(question)
      const events = await readStreams(db, question.register, [question.commitment], at.size)
      return projectAt(question.commitment, events, at, question.asOf)
    },
    async page(question) {
      const at = clocks(question)
      const { records } = await readPage(db, at, wanted(question.filter), { after: '', limit: PAGE })
      return readStates(db, at, records)
    },
  }
}

/** The figures of a whole register; without `withDays`, the counts alone. */
async function readSummary(db: Database, { register, asOf, knownAt }: Question, withDays: boolean) {
  const [part] = await readTallies(db, { register, size: knownAt, parts: [WHOLE], days: [asOf], withDays })
  const tally = part?.walk().next().value
  if (!tally) throw new Error(`there is no tally of ${register}`)
  return summarise(tally, asOf, null, () => '')
}

function wanted({ lifecycle, schedule }: Filter): Wanted {
  if (lifecycle === undefined && schedule === undefined) return ALL
  const status = (one: Countable) =>
    (lifecycle === undefined || one.lifecycle === lifecycle) &&
    (schedule === undefined || one.schedule.current === schedule)
  return { ...ALL, status }
}

/** The clocks of questions, resolved: the service reads a register before it reads anything of it. */
async function clocksOf(db: Database, registers: Registers, names: readonly string[]) {
  const all = await Promise.all(names.map((name) => registers.read(db, name)))
  return ({ register, asOf, knownAt }: Question) => {
    const known = all.find((one) => one?.register === register)
    if (!known) throw new Error(`there is no register ${register}`)
    return { register, asOf, size: knownAt, timeZone: stateKnownAt(known, knownAt).timeZone }
  }
}
