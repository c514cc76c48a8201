// The limit of row `summary`, as a process of its own: fastify, pg, and one select by the primary key. No schema, no rules.

import fastify from 'fastify'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.PLEDGER_DATABASE_URL, max: 10 })
pool.on('error', () => {})
const app = fastify()

app.get('/:register/:id', async (request) => {
  const { register, id } = request.params as { register: string; id: string }
  const text =
    'select id, revision, title, lifecycle from commitment where register = $1 and generation = 0 and id = $2'
  const { rows } = await pool.query({ name: 'one', text, values: [register, id] })
  return rows[0]
})

process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
})
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
