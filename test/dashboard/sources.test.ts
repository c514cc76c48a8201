// Which sources the page shows, and in what order.

import t from 'tap'
import type { SourceAnswer } from '../../src/dashboard/answers.ts'
import { DEFAULT_SORT, holds, sorted, termsOf } from '../../src/dashboard/views/sources/order.ts'

function source(id: string, given: Partial<SourceAnswer>): SourceAnswer {
  const nothing = { publisher: null, author: null, url: null, publishedOn: null, retrievedAt: null, contentHash: null }
  return { id, title: null, archivedUrl: null, event: 1, citations: [], conflicts: [], ...nothing, ...given }
}

function on(value: string): Pick<SourceAnswer, 'publishedOn'> {
  return { publishedOn: { value, earliest: null, latest: null } }
}

const ids = (items: readonly SourceAnswer[]) => items.map(({ id }) => id)

t.test('the newest source comes first, and one of no known date last in either direction', async (t) => {
  const items = [
    source('S1', on('2021-11-04')),
    source('S2', {}),
    source('S3', on('2026-02')),
    source('S4', on('2025-12-18')),
  ]
  t.strictSame(ids(sorted(items, DEFAULT_SORT, 'en')), ['S3', 'S4', 'S1', 'S2'])
  t.strictSame(ids(sorted(items, 'publishedOn', 'en')), ['S1', 'S4', 'S3', 'S2'])
})

t.test('equal publishers are told apart by id, numbers in it counted as numbers', async (t) => {
  const items = ['S10', 'S9', 'S1'].map((id) => source(id, { publisher: 'TASS' }))
  t.strictSame(ids(sorted(items, 'publisher', 'en')), ['S1', 'S9', 'S10'])
})

t.test('a sort that nobody knows is the default upwards', async (t) => {
  const items = [source('S1', on('2022')), source('S2', on('2021'))]
  t.strictSame(ids(sorted(items, 'constructor', 'en')), ['S2', 'S1'])
})

t.test('every word has to stand somewhere, in any case and any field', async (t) => {
  const one = source('S3', { title: 'Address to the Council', publisher: 'reform.news', contentHash: 'sha256:9F86' })
  t.ok(holds(one, termsOf('  COUNCIL reform ')))
  t.ok(holds(one, termsOf('9f86')))
  t.ok(holds(one, termsOf('')))
  t.notOk(holds(one, termsOf('council tass')))
})
