// `pledger migrate`: brings the database to this version's schema, and grants the roles that work in it what they need.

import type { Command } from 'commander'
import { GrantError, grantRoles } from '../database/grants.ts'
import { pendingMigrations } from '../database/migrate.ts'
import type { Database } from '../database/pool.ts'
import { roleFindings } from '../database/safety.ts'
import { CommandError, withDatabase } from './program.ts'

type Options = { grantService?: string; grantSealer?: string }

/** Grants, says so, and warns of a role that may do more than it is granted here. */
async function grant(db: Database, { grantService, grantSealer }: Options): Promise<void> {
  // A role that does not own the schema may ask whether it is up to date.
  const { mayApply } = await pendingMigrations(db)
  if (!mayApply && !grantService && !grantSealer) return
  const given = { ...(grantService ? { service: grantService } : {}), ...(grantSealer ? { sealer: grantSealer } : {}) }
  const granted = await grantRoles(db, given).catch((error) => {
    throw error instanceof GrantError ? new CommandError(error.message) : error
  })
  for (const [kind, roles] of Object.entries(granted)) {
    for (const role of roles) {
      process.stdout.write(`granted to ${role} what a ${kind} needs\n`)
      for (const { what, mend } of await roleFindings(db, role))
        process.stderr.write(`pledger: ${what} (mend: ${mend})\n`)
    }
  }
}

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to the schema of this version, and grant roles their rights in it')
    .option('--grant-service <role>', 'let a role run the service: read and append, and no more')
    .option('--grant-sealer <role>', 'let a role seal: read the leaves, write tiles and checkpoints, and no more')
    .action((options: Options) =>
      withDatabase(async ({ db, description, migrated }) => {
        const done = migrated.length === 0 ? 'up to date' : `applied ${migrated.join(', ')}`
        process.stdout.write(`${description}: ${done}\n`)
        await grant(db, options)
      }),
    )
}
