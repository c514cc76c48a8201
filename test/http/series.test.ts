import t from 'tap'
import { made, openDemo, posted, problem } from '../support/register.ts'
import { testService } from '../support/service.ts'

const service = await testService(t)
await openDemo(service)
const AT = '/v1/registers/demo'

/** Asks once everything recorded so far is known. */
async function get(path: string) {
  const size = await service.size('demo')
  return service.get(`${AT}${path}${path.includes('?') ? '&' : '?'}minSize=${size}`)
}

const days = async (query: string) =>
  (await get(`/summary/series?${query}`)).body.items.map(({ asOf }: { asOf: string }) => asOf)

t.test('the items of a series are the last days of the calendar steps, and the last day itself', async (t) => {
  t.strictSame(await days('from=2024-02-28&to=2024-03-01&step=day'), ['2024-02-28', '2024-02-29', '2024-03-01'])
  // 2026-01-04 is a Sunday.
  t.strictSame(await days('from=2026-01-01&to=2026-01-13&step=week'), ['2026-01-04', '2026-01-11', '2026-01-13'])
  t.strictSame(await days('from=1969-12-20&to=1970-01-04&step=week'), ['1969-12-21', '1969-12-28', '1970-01-04'])
  t.strictSame(await days('from=2024-01-31&to=2024-03-15'), ['2024-01-31', '2024-02-29', '2024-03-15'])
  t.strictSame(await days('from=2025-11-05&to=2026-07-01&step=quarter'), [
    '2025-12-31',
    '2026-03-31',
    '2026-06-30',
    '2026-07-01',
  ])
  t.strictSame(await days('from=2025-07-01&to=2026-12-31&step=year'), ['2025-12-31', '2026-12-31'])
  t.strictSame(await days('from=9999-12-30&to=9999-12-31&step=week'), ['9999-12-31'])
  t.equal((await days('from=2019-01-01&to=2026-12-31&step=month')).length, 96)
})

t.test('a span that ends before it begins, too many items or what is no day is refused, and named', async (t) => {
  const refused: [query: string, pointer: string][] = [
    ['to=2026-01-01', '/from'],
    ['from=2026-01-01', '/to'],
    ['from=2026-02-30&to=2026-03-01', '/from'],
    ['from=2026-01-02&to=2026-01-01', '/to'],
    ['from=2020-01-01&to=2022-12-31&step=day', '/step'],
    ['from=2026-01-01&to=2026-01-02&step=decade', '/step'],
  ]
  for (const [query, pointer] of refused) {
    const answer = await service.get(`${AT}/summary/series?${query}`)
    t.strictSame(problem(answer), { status: 400, type: '/problems/malformed', pointers: [pointer] }, query)
  }
  t.equal((await days('from=2020-01-01&to=2022-09-26&step=day')).length, 1_000, 'a thousand items are not too many')
})

t.test('a summary in a series is the summary of that day', async (t) => {
  await service.post(`${AT}/events`, [
    made('road', { due: '2026-01-20', programme: 'p1' }),
    posted('bridge', 'DeliveryReported', '2026-02-10'),
  ])
  for (const programme of ['', '&programme=p1', '&programme=p1&programme=']) {
    const { body } = await get(`/summary/series?from=2026-01-01&to=2026-03-15${programme}`)
    for (const item of body.items) {
      const { groups, redacted, redactedCount, ...summary } = (await get(`/summary?asOf=${item.asOf}${programme}`)).body
      t.strictSame(item, summary)
      t.strictSame([groups, redacted, redactedCount], [[], [], 0])
    }
  }
})

t.test('a difference tells repairs from news, names their events, and goes on page by page', async (t) => {
  const from = await service.size('demo')
  const { body } = await service.post(`${AT}/events`, [
    ...['a', 'b', 'c'].map((id) => made(id, { due: '2026-01-10' })),
    posted('b', 'DeliveryReported', '2026-01-05'),
  ])
  const claim = body.events[3]
  const learned = await service.size('demo')
  await service.post(`${AT}/events`, [
    posted('b', 'EventRetracted', '2026-02-01', { event: claim.id, reason: 'another bridge' }),
    posted('c', 'StatusReaffirmed', '2026-02-01'),
  ])
  const brief = (items: { id: string; kind: string; because: { event: number }[] }[]) =>
    items.map(({ id, kind, because }) => [id, kind, because.map(({ event }) => event)])
  const both = (await get(`/summary/difference?asOf=2026-01-31&from=${learned}`)).body
  t.strictSame(brief(both.items), [['b', 'repair', [learned]]])
  t.strictSame(
    [
      both.items[0].before.lifecycle,
      both.items[0].after.lifecycle,
      both.figures.before.late.count,
      both.figures.after.late.count,
    ],
    ['delivered', 'open', 3, 4],
  )
  const all: unknown[] = []
  let next: string | null = `${AT}/summary/difference?asOf=2026-01-31&from=${from}&limit=2`
  while (next) {
    const answer = await service.get(next)
    all.push(...brief(answer.body.items))
    next = /^<(.+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1] ?? null
    t.equal(next === null, answer.body.next === null)
  }
  t.strictSame(all, [
    ['a', 'news', [from]],
    ['b', 'both', [from + 1, from + 3, learned]],
    ['c', 'news', [from + 2]],
  ])
})

t.test('a difference from nothing, from later than to, or from beyond the log is refused', async (t) => {
  const size = await service.size('demo')
  const ask = async (query: string) => problem(await service.get(`${AT}/summary/difference?${query}`))
  t.strictSame(await ask(''), { status: 400, type: '/problems/malformed', pointers: ['/from'] })
  t.strictSame(await ask('from=5&to=4'), { status: 400, type: '/problems/malformed', pointers: ['/from'] })
  t.strictSame(await ask('from=5&to=now'), { status: 400, type: '/problems/malformed', pointers: ['/to'] })
  t.strictSame(await ask(`from=${size + 1}`), { status: 400, type: '/problems/beyond-knowledge', pointers: [] })
  const { body } = await get('/summary/difference?from=4&limit=1')
  t.strictSame(await ask(`cursor=${body.next}&from=5`), {
    status: 400,
    type: '/problems/malformed',
    pointers: ['/cursor'],
  })
  t.strictSame((await get(`/summary/difference?from=${size}`)).body.items, [])
})
