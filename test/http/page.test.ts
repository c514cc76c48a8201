// How the page is served: the same at every address of a view, each file as small as the browser takes it, and kept no longer
// than it holds.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import fastify from 'fastify'
import t from 'tap'
import { pageRoutes } from '../../src/http/routes/page.ts'
import { Problem } from '../../src/http/server/problem.ts'
import { problem } from '../support/register.ts'
import { testService } from '../support/service.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// `npm ci` builds it; a checkout that was cleaned since has none.
if (!existsSync(`${ROOT}dist/dashboard/index.html`)) execFileSync('npm', ['run', 'build:page'], { cwd: ROOT })

const service = await testService(t)
const index = await service.get('/')
const assets = [...index.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => String(path))

/** A file as it goes over the wire to a browser that takes these encodings. */
async function wire(url: string, encoding: string) {
  const { headers, rawPayload } = await service.app.inject({ url, headers: { 'accept-encoding': encoding } })
  return { encoding: headers['content-encoding'], vary: headers.vary, bytes: rawPayload }
}

t.test('every address of a view is answered with the page, to be asked for again each time', async (t) => {
  for (const path of [
    '/',
    '/operations',
    '/registers/demo',
    '/registers/demo/commitments/a%2Fb',
    '/?asOf=2026-02-26',
  ]) {
    const { status, headers, text } = await service.get(path)
    t.strictSame(
      [status, headers['content-type'], headers['cache-control'], text === index.text],
      [200, 'text/html; charset=utf-8', 'no-cache', true],
      path,
    )
  }
  const etag = String(index.headers.etag)
  const again = await service.get('/', { 'if-none-match': etag })
  t.strictSame([again.status, again.text], [304, ''])
  const head = await service.app.inject({ method: 'HEAD', url: '/' })
  t.strictSame([head.statusCode, head.payload, head.headers.etag], [200, '', etag])
})

t.test('a file whose name holds its hash is kept for ever, and sent compressed to whom takes that', async (t) => {
  t.strictSame(assets.map((path) => path.replace(/.*\./, '')).sort(), ['css', 'js'])
  for (const path of assets) {
    t.equal((await service.get(path)).headers['cache-control'], 'public, max-age=31536000, immutable')
    const [plain, gzip, brotli] = [await wire(path, 'identity'), await wire(path, 'gzip'), await wire(path, 'gzip, br')]
    t.strictSame([plain.encoding, gzip.encoding, brotli.encoding], [undefined, 'gzip', 'br'])
    t.ok(gunzipSync(gzip.bytes).equals(plain.bytes))
    t.ok(brotliDecompressSync(brotli.bytes).equals(plain.bytes))
    for (const { vary } of [gzip, brotli]) t.match(vary, /accept-encoding/i, 'a cache between does not mix them up')
  }
})

t.test('what is no file and no view of the page is a problem, as everywhere', async (t) => {
  const unknown = { status: 404, type: '/problems/unknown-route', pointers: [] }
  const beside = [
    '/assets/none.js',
    `/assets/..%2F${assets[0]?.slice(1)}`,
    '/assets/..%2Findex.html',
    '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
    '/assets/',
  ]
  for (const path of [...beside, '/index.html', '/operations/more', '/registers', '/v1/nothing'])
    t.strictSame(problem(await service.get(path)), unknown, path)
})

t.test('without a build each address of the page says how to make one', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error, _request, reply) =>
    reply.send(error instanceof Problem ? [error.word, error.message] : String(error)),
  )
  pageRoutes(app, [])
  for (const path of ['/', '/registers/demo']) t.match((await app.inject(path)).payload, /npm run build:page/, path)
})
