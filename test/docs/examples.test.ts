// The requests of the README and of the pages for integrators and auditors run, and are answered as the pages show.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { type PageRequest, pageExamples, parseShown, shownFault } from '../support/page-examples.ts'
import { lines, NDJSON } from '../support/register.ts'
import { testService } from '../support/service.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = ['README.md', 'docs/api.md', 'docs/auditing.md']
const ORIGIN = 'http://127.0.0.1:4180'

const service = await testService(t, '2026-11-29')
const SYNTHETIC = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
await service.post('/v1/registers/union-state/events', lines(...unionStateEvents()), NDJSON)
await service.post('/v1/registers/synthetic-310/events', lines(...syntheticEvents(SYNTHETIC)), NDJSON)

async function ask({ url, method, headers, body }: PageRequest) {
  const path = url.replace(ORIGIN, '')
  if (method === 'POST') return service.post(path, body ?? '', headers)
  // A reader types more slowly than projections follow.
  const register = path.split(/[/?]/)[3] ?? ''
  return service.get(path, { ...headers, 'pledger-size': String(await service.size(register)) })
}

/** A request whose answer does not end, or is not JSON: it is only to be understood. */
const isText = ({ headers }: PageRequest) => /event-stream|csv/.test(headers.accept ?? '')

for (const page of PAGES) {
  t.test(`the requests of ${page} run, and are answered as it shows`, async (t) => {
    const examples = pageExamples(readFileSync(join(ROOT, page), 'utf8'))
    t.ok(examples.length >= 3)
    for (const { line, requests, shown } of examples) {
      for (const [index, request] of requests.entries()) {
        if (isText(request) || !request.url.startsWith(ORIGIN)) continue
        const { body, text } = await ask(request)
        const expected = shown[index]
        if (expected) t.equal(shownFault(expected, body), null, `line ${line}: ${request.url}`)
        else t.notMatch(text, /"\/problems\//, `line ${line}: ${request.url}`)
      }
    }
  })
}

t.test('a shortened answer holds for what it shows, and for nothing else', async (t) => {
  const fault = (text: string, value: unknown) => shownFault(parseShown(text)[0] ?? { kind: 'any' }, value)
  t.equal(fault('{ "a": 1, … }', { a: 1, b: 2 }), null)
  t.match(fault('{ "a": 1 }', { a: 1, b: 2 }), /b is answered/)
  t.match(fault('{ "a": 1, … }', { a: 2 }), /1 is shown, 2 is answered/)
  t.equal(fault('[ …, 2, … ]', [1, 2, 3]), null)
  t.match(fault('[ …, 2 ]', [1, 2, 3]), /./)
  t.match(fault('[ 1 ]', []), /missing/)
  t.equal(fault('"a…c"', 'abc'), null)
  t.match(fault('"a…c"', 'abd'), /./)
  t.equal(parseShown('{} {}').length, 2)
  t.throws(() => parseShown('{ "a" }'))
})
