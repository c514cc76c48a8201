// Runs after the tests: stops the server that start-database.ts started and removes its directory.

import { readFile, rm } from 'node:fs/promises'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { RUN_FILE, type TestServer } from './database.ts'

const { dataDir } = JSON.parse(await readFile(RUN_FILE, 'utf8')) as TestServer
const server = await openEmbedded(dataDir)
await server.stop()
await rm(dataDir, { recursive: true, force: true })
await rm(RUN_FILE, { force: true })
