// The tree and its leaves as files that never change (C2SP tlog-tiles), for verifiers that trust nobody and compute
// the roots themselves.

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import accepts from 'accepts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { MissingEventError, readLeaves } from '../../eventlog/leaves.ts'
import { BrokenTreeError } from '../../integrity/sealing/proofs.ts'
import { isPublishedWithin, readTile } from '../../integrity/sealing/stored.ts'
import { bundle, parseTilePath, type ResourceId, sizesWith, TILE_WIDTH } from '../../integrity/tlog/tiles.ts'
import { type Context, registerOf } from '../server/context.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

const BYTES_TYPE = 'application/octet-stream'
const compress = promisify(gzip)

/** The leaves of a bundle, which a checkpoint covers. */
async function entriesOf({ db }: Context, register: string, { index, width }: ResourceId): Promise<Buffer> {
  const from = Number(index) * TILE_WIDTH
  const gone = (position: number) => new BrokenTreeError(`${register}: there is no event at position ${position}`)
  const leaves = await readLeaves(db, register, from, from + width).catch((error: unknown) => {
    throw error instanceof MissingEventError ? gone(error.position) : error
  })
  if (leaves.length < width) throw gone(from + leaves.length)
  return bundle(leaves)
}

async function hashesOf(context: Context, register: string, level: number, tile: ResourceId): Promise<Buffer> {
  const hashes = await readTile(context.db, register, { ...tile, level })
  if (hashes) return hashes
  throw new BrokenTreeError(`${register}: tile ${tile.index} of level ${level} does not hold ${tile.width} hashes`)
}

/** Sends leaves compressed where the caller takes that: they are text, unlike hashes. */
async function sendEntries(request: FastifyRequest, reply: FastifyReply, entries: Buffer): Promise<FastifyReply> {
  reply.header('vary', 'Accept-Encoding')
  if (accepts(request.raw).encoding(['gzip', 'identity']) !== 'gzip') return reply.send(entries)
  return reply.header('content-encoding', 'gzip').send(await compress(entries))
}

async function tile(context: Context, request: FastifyRequest, reply: FastifyReply) {
  // As it was sent: with an escape for a digit the same tile would have a second address.
  const [path = ''] = request.url.split('?', 1)
  const name = path.replace(/^\/v1\/registers\/[^/]+\//, '')
  const { register } = await registerOf(context, request)
  const wanted = parseTilePath(name)
  const isThere = wanted !== null && (await isPublishedWithin(context.db, register, sizesWith(wanted)))
  if (!isThere) {
    const why = wanted === null ? 'it is not written as C2SP tlog-tiles has it' : 'no checkpoint has it in this width'
    throw new Problem('unknown-route', { detail: `${register} has no ${name}: ${why}` })
  }
  const { level } = wanted
  const bytes = await (level === 'entries'
    ? entriesOf(context, register, wanted)
    : hashesOf(context, register, level, wanted))
  reply.header('content-type', BYTES_TYPE).header('cache-control', 'public, max-age=31536000, immutable')
  return level === 'entries' ? sendEntries(request, reply, bytes) : reply.send(bytes)
}

export function tileRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/tile/:level/*',
    {
      config: { permission: 'read', problems: ['not-known', 'not-sealed', 'unknown-route'], produces: [BYTES_TYPE] },
      schema: {
        operationId: 'readTile',
        summary: 'Read a tile of the Merkle tree, or an entry bundle',
        description:
          'As C2SP tlog-tiles. `level` is 0 to 63, or `entries` for the leaves. The index follows in groups of three digits, all but the last marked with x. A partial tile has `.p/` and its width, and exists in the widths that it had at a checkpoint. A tile never changes.',
        tags: ['integrity'],
        querystring: z.strictObject({}),
        response: {
          200: {
            description: 'Hashes of 32 bytes, or leaves after their lengths',
            content: { [BYTES_TYPE]: { schema: z.string().meta({ format: 'binary' }) } },
          },
        },
      },
    },
    (request, reply) => tile(context, request, reply),
  )
}
