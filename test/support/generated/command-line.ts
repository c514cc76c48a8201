// docs/cli.md, from the help of every command.

import type { Command } from 'commander'
import { commandLine } from '../../../src/cli/command-line.ts'
import { NOTICE } from './markdown.ts'

const HEAD = `# Command line

${NOTICE}

In a checkout \`npm run --silent pledger --\` stands for \`pledger\`. Every command reads the variables of
[configuration.md](configuration.md). Long work shows a progress bar on a terminal and plain lines elsewhere.

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage |
| 3 | verification failed |
| 129, 130, 143 | a signal, SIGHUP, SIGINT or SIGTERM, ended the command before it was done |
`

const WIDTH = 100

/** The commands below a command, each after the one that it belongs to; without `help`, which every group has. */
function below(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...below(one)])
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  })
  // The help of the program ends with the environment, which has a page of its own.
  if (command.parent) command.outputHelp()
  else text = command.helpInformation()
  return text.trimEnd()
}

/** The page. */
export function commandLinePage(): string {
  const program = commandLine('0')
  const sections = [program, ...below(program)].map((command) => {
    return `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`
  })
  return `${HEAD}\n${sections.join('\n')}`
}
