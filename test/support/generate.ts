// Writes the files that are generated: the schema, the API description and parts of the documentation. With --check it only
// says which are stale.

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { migrate } from '../../src/database/migrate.ts'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { buildApp } from '../../src/http/app.ts'
import type { Examples } from '../../src/http/server/examples.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { noAccessControl } from './access.ts'
import { dumpSchema } from './dump-schema.ts'
import { commandLinePage } from './generated/command-line.ts'
import { configurationPage } from './generated/configuration.ts'
import { contractPage } from './generated/contract.ts'
import { exampleAnswers } from './generated/examples.ts'
import { pageWords } from './generated/page-words.ts'

const ROOT = join(import.meta.dirname, '../..')

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

async function openapi(db: Database, examples: Examples): Promise<string> {
  const registers = createRegisters()
  const recorder = createRecorder(db, registers, { now: Date.now })
  const context = {
    access: noAccessControl(db),
    db,
    registers,
    heads: createRegisterHeads(db),
    recorder,
    now: Date.now,
    wake: () => {},
  }
  const app = await buildApp(context, pino({ level: 'silent' }), { examples })
  const text = jsonText(app.swagger())
  await app.close()
  return text
}

async function generated(): Promise<Record<string, string>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pledger-generate-'))
  await chmod(dataDir, 0o755)
  const server = await openEmbedded(dataDir)
  const db = openDatabase({ connectionString: server.connectionString })
  try {
    await migrate(db)
    const schema = await dumpSchema(db)
    const examples = await exampleAnswers(db)
    return {
      'migrations/schema.sql': schema,
      'openapi/examples.json': jsonText(examples),
      'openapi/openapi.json': await openapi(db, examples),
      'docs/configuration.md': configurationPage(),
      'docs/cli.md': commandLinePage(),
      'src/dashboard/generated.ts': pageWords(),
      'docs/contract.md': contractPage(await readFile(join(ROOT, 'docs/contract.md'), 'utf8')),
    }
  } finally {
    await db.destroy()
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

const isCheck = process.argv.includes('--check')
for (const [path, text] of Object.entries(await generated())) {
  const file = join(ROOT, path)
  const before = await readFile(file, 'utf8').catch(() => null)
  if (before === text) continue
  if (isCheck) {
    process.exitCode = 1
    process.stderr.write(`${path} is stale: run npm run generate\n`)
  } else {
    await writeFile(file, text)
    process.stdout.write(`${path} written\n`)
  }
}
