// The page at /: files that were built before the service started (src/dashboard), the same for everybody. What it shows it asks
// of the API, as anybody may, so nothing of it needs a permission.

import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { pathPart } from '../server/context.ts'
import { Problem } from '../server/problem.ts'

/** Where a build of the page stands, beside the sources and beside what is published. */
const BUILT = [join(import.meta.dirname, '../../dashboard'), join(import.meta.dirname, '../../../dist/dashboard')]

/** The addresses of its views (src/dashboard/route.ts): each is answered with the page, which finds its view itself. */
const VIEWS = ['/', '/operations', '/registers/:register', '/registers/:register/*']

/** The folder of these that the page was built into; null where it was not built. */
function builtPage(folders: readonly string[]): string | null {
  return folders.find((folder) => existsSync(join(folder, 'index.html')) && existsSync(join(folder, 'assets'))) ?? null
}

/** Registers the page; without a build in one of these folders its addresses say how to make one. */
export function pageRoutes(app: FastifyInstance, folders: readonly string[] = BUILT): void {
  const root = builtPage(folders)
  const open = { config: { permission: 'open' as const }, schema: { hide: true } }
  if (root === null) {
    for (const view of VIEWS) {
      app.get(view, open, () => {
        throw new Problem('unknown-route', { detail: 'the page is not built: npm run build:page. The API is at /docs' })
      })
    }
    return
  }
  app.register(fastifyStatic, { root, serve: false, preCompressed: true, index: false })
  for (const view of VIEWS) {
    app.get(view, open, (_request, reply) =>
      reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false }),
    )
  }
  // Their names hold a hash of what they hold.
  app.get('/assets/:name', open, (request, reply) => {
    const name = pathPart(request, 'name')
    const isFile = statSync(join(root, 'assets', basename(name)), { throwIfNoEntry: false })?.isFile()
    if (!isFile || name !== basename(name)) throw new Problem('unknown-route', { detail: `there is no ${request.url}` })
    return reply.sendFile(`assets/${name}`, { maxAge: '365d', immutable: true })
  })
  app.get('/favicon.svg', open, (_request, reply) => reply.sendFile('favicon.svg', { maxAge: '1d' }))
}
