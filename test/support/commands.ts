// A database for commands, and how they name it.

import type { Test } from 'tap'
import { asRole, ROLES, testDatabaseUrl } from './database.ts'

/** The environment of commands on an empty database of the test's, its address, and its name in what they print. */
export async function commandDatabase(t: Test) {
  const url = await testDatabaseUrl(t)
  return {
    env: { PLEDGER_DATABASE_URL: asRole(url, ROLES.service) },
    url,
    name: `PostgreSQL at ${new URL(url).host}${new URL(url).pathname}`,
  }
}
