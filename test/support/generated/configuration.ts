// docs/configuration.md, from the table of variables in src/config.ts.

import { CONFIG_VARIABLES } from '../../../src/config.ts'
import { code, NOTICE, table } from './markdown.ts'

const HEAD = `# Configuration

${NOTICE}

Pledger reads its configuration from the environment, once, when it starts. An empty variable counts as unset. An unknown
variable that begins with \`PLEDGER_\`, or a value that is not accepted, ends the command with exit code 2 and one line that
names the variable. No message shows a password.
`

/** The page. */
export function configurationPage(): string {
  const rows = CONFIG_VARIABLES.map(({ name, fallback, description, accepts }) => [
    code(name),
    code(fallback),
    description,
    accepts,
  ])
  return `${HEAD}\n${table(['variable', 'default', 'meaning', 'accepts'], rows)}\n`
}
