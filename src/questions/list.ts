// The list of commitments at two clocks: which ones a query lists, in which order, and what each of them is.

import type { z } from 'zod'
import { type CommitmentAnswer, commitmentAnswer, describe } from '../domain/commitment/answer.ts'
import { measure } from '../domain/commitment/measure.ts'
import { DEFINITIONS, redactedInRegister } from '../domain/register/state.ts'
import type { Day } from '../kernel/plain-date.ts'
import { commitments } from '../projections/commitments/projection.ts'
import {
  type CommitmentRecord,
  readCommitments,
  readStates,
  searchCommitments,
} from '../projections/commitments/read.ts'
import { periods } from '../projections/periods/projection.ts'
import { ALL, readPage, readStatuses, type StatusRecord, type Wanted } from '../projections/periods/read.ts'
import type { Clocks } from './clocks.ts'
import { frameOf, listAnswer } from './frame.ts'
import {
  isMembershipListed,
  isStatusListed,
  type Listed,
  type ListPlace,
  type ListQuery,
  needsDetails,
  sorted,
} from './list-query.ts'
import type { Page, PagedQuestion } from './question.ts'
import { answerRedacted, type Belongs, redactedAnswer, redactedOfCommitments } from './redacted.ts'
import type { QuestionContext } from './register.ts'

export const commitmentListAnswer = listAnswer(commitmentAnswer).extend(redactedAnswer)

/** What a query wants of the projection `periods`. */
function wanted(query: ListQuery): Wanted {
  const { lifecycle, schedule, scheduleOriginal, verification, figure } = query
  const filters = [lifecycle, schedule, scheduleOriginal, verification].some((values) => values.length > 0)
  return {
    ...ALL,
    status: filters || figure !== undefined ? (status) => isStatusListed(query, status) : null,
    membership: belongsBy(query),
  }
}

/** Which commitments a query lists by what they belong to; null where it asks for none of that. */
function belongsBy(query: ListQuery): Belongs {
  const isAsked = [query.programme, query.theme, query.party].some((values) => values.length > 0)
  return isAsked ? (membership) => isMembershipListed(query, membership) : null
}

/** What a list says about redacted events: of its commitments, and of the definitions that they are read with. */
export async function redactedOfList({ db }: QuestionContext, clocks: Clocks, query: ListQuery) {
  const ofCommitments = await redactedOfCommitments(db, clocks, belongsBy(query))
  return answerRedacted([...redactedInRegister(clocks.state, DEFINITIONS), ...ofCommitments])
}

function listedStatus(record: StatusRecord): Listed {
  return { ...record, details: null }
}

function listedRecord({ dates, title, revision, lastOn, folded, ...record }: CommitmentRecord, asOf: Day): Listed {
  return {
    ...record,
    measured: measure(dates, asOf),
    details: { title, revision, lastOn, folded },
  }
}

/** The whole list where it is asked for something that only whole states tell: each of them is looked at. */
async function detailed({ db }: QuestionContext, clocks: Clocks, query: ListQuery): Promise<Listed[]> {
  const records = await readCommitments(db, clocks)
  const found = query.q === undefined ? null : await searchCommitments(db, clocks.register, records, query.q)
  return records
    .map((record) => listedRecord(record, clocks.asOf))
    .filter((one) => isStatusListed(query, one.measured) && isMembershipListed(query, one))
    .filter((one) => !found || found.has(one.id))
}

type ListPage = { page: Listed[]; next: ListPlace | null }

/** A page of a list; a list in order of id is read on from where the page before ended, any other is sorted as a whole. */
export async function readList(
  context: QuestionContext,
  clocks: Clocks,
  query: ListQuery,
  { place, limit }: Page<ListPlace>,
): Promise<ListPage> {
  if (isById(query)) {
    const after = place && 'after' in place ? place.after : ''
    const { records, after: next } = await readPage(context.db, clocks, wanted(query), { after, limit })
    return { page: records.map(listedStatus), next: next === null ? null : { after: next } }
  }
  const all = needsDetails(query)
    ? await detailed(context, clocks, query)
    : (await readStatuses(context.db, clocks, wanted(query))).map(listedStatus)
  const offset = place && 'offset' in place ? place.offset : 0
  const page = sorted(all, query.sort).slice(offset, offset + limit)
  const end = offset + page.length
  return { page, next: end < all.length ? { offset: end } : null }
}

/** True for a list in order of id, which can be read page by page. */
function isById(query: ListQuery): boolean {
  return query.sort.length === 1 && query.sort[0] === 'id' && !needsDetails(query)
}

async function answers(context: QuestionContext, clocks: Clocks, page: readonly Listed[]): Promise<CommitmentAnswer[]> {
  const described = await readStates(
    context.db,
    clocks,
    page.map(({ id, details }) => ({ id, folded: details?.folded ?? null })),
  )
  return described.map((one) => describe(one, { asOf: clocks.asOf, knownAt: clocks.knownAt, register: clocks.state }))
}

type ListAnswer = Omit<z.output<typeof commitmentListAnswer>, 'next'> & { next: ListPlace | null }

async function ask(
  context: QuestionContext,
  clocks: Clocks,
  query: ListQuery,
  wantedPage: Page<ListPlace>,
): Promise<ListAnswer> {
  const { page, next } = await readList(context, clocks, query, wantedPage)
  const redacted = await redactedOfList(context, clocks, query)
  return { items: await answers(context, clocks, page), next, ...frameOf(clocks), ...redacted }
}

/** Of both folds that a list is read from. */
export const LIST_VERSION = `${commitments.version}.${periods.version}`

export const list: PagedQuestion<ListQuery, ListPlace, ListAnswer> = {
  source: ['commitments', 'periods'],
  version: LIST_VERSION,
  ask,
}

/** How many commitments are described at once where the whole list is asked for. */
const AT_ONCE = 500

/** The list from a place on to its end, some commitments at a time. The first read is done when this resolves. */
export async function restOfList(
  context: QuestionContext,
  clocks: Clocks,
  query: ListQuery,
  place: ListPlace | null,
): Promise<AsyncGenerator<CommitmentAnswer[]>> {
  const limit = isById(query) ? AT_ONCE : Number.POSITIVE_INFINITY
  return pagesFrom(context, clocks, query, await readList(context, clocks, query, { place, limit }))
}

async function* pagesFrom(
  context: QuestionContext,
  clocks: Clocks,
  query: ListQuery,
  first: ListPage,
): AsyncGenerator<CommitmentAnswer[]> {
  for (let { page, next } = first; ; ) {
    for (let from = 0; from < page.length; from += AT_ONCE) {
      yield await answers(context, clocks, page.slice(from, from + AT_ONCE))
    }
    if (next === null) return
    ;({ page, next } = await readList(context, clocks, query, { place: next, limit: AT_ONCE }))
  }
}
