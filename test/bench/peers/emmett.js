// The peer of --peers, as a process of its own: Emmett's event store on the same PostgreSQL. It does its work by itself, in
// process, and answers how much of it was done in a second; over HTTP it is only told what to do. JavaScript, because its
// packages, and with them their types, are installed only where it is run.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { getPostgreSQLEventStore, postgreSQLEventStoreConsumer } from '@event-driven-io/emmett-postgresql'
import pg from 'pg'

/** A database of its own on the same server, made where it is not there. */
async function ownDatabase(name) {
  const url = new URL(process.env.PLEDGER_DATABASE_URL)
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
  if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  await client.end()
  url.pathname = `/${name}`
  return url.href
}

const connectionString = await ownDatabase(process.argv[2])

function openStore(max) {
  const pool = new pg.Pool({ connectionString, max })
  pool.on('error', () => {})
  const store = getPostgreSQLEventStore(connectionString, { connectionOptions: { pool } })
  return {
    append: (stream, events) => store.appendToStream(stream, events),
    migrate: () => store.schema.migrate(),
    async close() {
      await store.close()
      await pool.end().catch(() => {}) // the store may have ended it
    },
  }
}

async function perSecond(count, work) {
  const from = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - from)
}

/** One event a call, `concurrency` calls at a time, each to the next of the streams. */
async function append({ streams, event, count, concurrency, connections }) {
  const store = openStore(connections)
  await store.migrate()
  let next = 0
  const one = async () => {
    while (next < count) await store.append(streams[next++ % streams.length], [event])
  }
  try {
    return await perSecond(count, () => Promise.all(Array.from({ length: concurrency }, one)))
  } finally {
    await store.close()
  }
}

/** Writes all of the events, a stream at a time and by one writer: a consumer skips some of what several wrote at once. */
async function fill({ events }) {
  const store = openStore(1)
  await store.migrate()
  try {
    return await perSecond(events.length, async () => {
      for (const [stream, own] of Map.groupBy(events, (one) => one.stream))
        await store.append(
          stream,
          own.map(({ event }) => event),
        )
    })
  } finally {
    await store.close()
  }
}

/** A consumer from the beginning of the log to its end, with a handler that does nothing but count. */
async function replay({ count, pulling }) {
  let seen = 0
  const consumer = postgreSQLEventStoreConsumer({ connectionString, stopWhen: { noMessagesLeft: true }, pulling })
  consumer.reactor({
    processorId: randomUUID(),
    startFrom: 'BEGINNING',
    eachMessage: () => {
      seen += 1
    },
  })
  try {
    const rate = await perSecond(count, () => consumer.start())
    if (seen !== count) throw new Error(`the consumer saw ${seen} of ${count} events`)
    return rate
  } finally {
    await consumer.close()
  }
}

const TASKS = { '/append': append, '/fill': fill, '/replay': replay }

async function answer(request) {
  const task = TASKS[request.url]
  if (!task) throw new Error(`there is no task ${request.url}`)
  return task(await json(request))
}

const server = createServer((request, response) => {
  answer(request).then(
    (rate) => response.end(JSON.stringify({ rate })),
    (error) => {
      response.statusCode = 500
      response.end(String(error?.stack ?? error))
    },
  )
})
// A task takes as long as it takes.
server.requestTimeout = 0
process.once('SIGTERM', () => process.exit())
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`))
