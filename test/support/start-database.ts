// Runs before the tests: one PostgreSQL server for the run, with a migrated database that each file clones.

import { spawn } from 'node:child_process'
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { makeRoles, RUN_FILE, type TestServer } from './database.ts'
import { RUN_MARK } from './leftovers.ts'
// As every test file, by `node-arg` of tap.
import './mark.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'pledger-test-'))
// PostgreSQL runs as another user where the tests run as root.
await chmod(dataDir, 0o755)
// Before the server, which it ends too where the run is killed. Without the mark, and not of the terminal whose Ctrl-C ends the run.
const { [RUN_MARK]: runner = '', ...env } = process.env
const watchdog = fileURLToPath(new URL('watchdog.ts', import.meta.url))
spawn(process.execPath, [watchdog, runner, tmpdir()], { env, stdio: 'ignore', detached: true }).unref()
const { connectionString } = await openEmbedded(dataDir)
const run: TestServer = { dataDir, connectionString }
await writeFile(RUN_FILE, JSON.stringify(run))
const db = openDatabase({ connectionString })
await migrate(db)
// Roles belong to the server, what they are granted to the database: every clone has it.
await makeRoles(db, connectionString)
await db.destroy()
const admin = openDatabase({ connectionString: connectionString.replace(/\/pledger(\?|$)/, '/postgres$1') })
await sql`alter database pledger rename to pledger_template`.execute(admin)
await admin.destroy()
// The server outlives this process, as it outlives a service that was killed; stop-database.ts adopts and stops it.
process.exit(0)
