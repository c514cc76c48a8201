// `pledger migrate`: brings the database to this version's schema.

import type { Command } from 'commander'
import { withDatabase } from './program.ts'

export function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to the schema of this version')
    .action(() =>
      withDatabase(async ({ description, migrated }) => {
        const done = migrated.length === 0 ? 'up to date' : `applied ${migrated.join(', ')}`
        process.stdout.write(`${description}: ${done}\n`)
      }),
    )
}
