// The limit of row `record`, as a process of its own: fastify, pg, and one durable insert of the posted JSON. No schema, no
// rules, no log. `PUT /pool/{size}` gives it a pool of another size, for whoever looks for the best.

import fastify from 'fastify'
import pg from 'pg'

const INSERT = { name: 'insert', text: 'insert into bench_insert (body) values ($1) returning id' }

function openPool(max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: process.env.PLEDGER_DATABASE_URL, max })
  pool.on('error', () => {})
  return pool
}

let pool = openPool(10)
const app = fastify()

app.put('/pool/:size', async (request) => {
  const { size } = request.params as { size: string }
  await pool.end()
  pool = openPool(Number(size))
  return { size }
})

app.post('/', async (request, reply) => {
  const { rows } = await pool.query<{ id: string }>({ ...INSERT, values: [request.body] })
  reply.code(201)
  return rows[0]
})

process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
