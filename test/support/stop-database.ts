// Runs after the tests: stops the server that start-database.ts started and removes its directory. Fails where a test has left a
// process behind, which watchdog.ts then ends.

import { readFile, rm } from 'node:fs/promises'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { RUN_FILE, type TestServer } from './database.ts'
import { leftOf, RUN_MARK } from './leftovers.ts'

const { dataDir } = JSON.parse(await readFile(RUN_FILE, 'utf8')) as TestServer
const server = await openEmbedded(dataDir)
await server.stop()
await rm(dataDir, { recursive: true, force: true })

const left = await leftOf(process.env[RUN_MARK] ?? '')
for (const { pid, command } of left) process.stderr.write(`a test has left process ${pid} running: ${command}\n`)
if (left.length > 0) process.exitCode = 1
