// The limit of row `poll-304`, as a process of its own: fastify and a constant.

import fastify from 'fastify'

const app = fastify()
const CONSTANT = { answer: 42 }

app.get('/', async () => CONSTANT)

process.once('SIGTERM', () => app.close())
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
