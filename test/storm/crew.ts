// The writers of a storm, each a process, and the book of what was acknowledged to them. One that is killed is replaced by
// another that begins with the request whose acknowledgement is missing.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Ending, PLAIN_NODE } from '../support/process.ts'
import type { FromWriter, ToWriter, WriterOptions } from './writer.ts'

export type Acknowledged = Extract<FromWriter, { kind: 'acknowledged' }>

export type Crew = {
  book: Acknowledged[]
  surprises: string[]
  moved: (addresses: string[]) => void
  kill: (writer: number) => Promise<void>
  /** Lets every writer finish what it has in hand; returns when all have ended. */
  end: () => Promise<void>
}

export type CrewOptions = Omit<WriterOptions, 'writer' | 'from'>

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** Starts the writers; they end with the test. */
export function startCrew(ending: Ending, options: CrewOptions): Crew {
  let { addresses } = options
  const book: Acknowledged[] = []
  const surprises: string[] = []
  const next = Array.from({ length: options.writers }, () => 0)

  const hear = (message: FromWriter) => {
    if (message.kind === 'surprise') surprises.push(message.text)
    else {
      book.push(message)
      next[message.writer] = message.step + 1
    }
  }
  const begin = (writer: number): ChildProcess => {
    const given: WriterOptions = { ...options, addresses, writer, from: next[writer] ?? 0 }
    const env = { ...process.env, ...PLAIN_NODE }
    const child = fork(WRITER, [JSON.stringify(given)], { env, execArgv: [] })
    child.on('message', hear)
    // The channel closes under whoever is killed.
    child.on('error', () => {})
    ending.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const post = (child: ChildProcess | undefined, message: ToWriter) => {
    if (child?.connected) child.send(message, () => {})
  }

  const children = next.map((_, writer) => begin(writer))
  return {
    book,
    surprises,
    moved(list) {
      addresses = list
      for (const child of children) post(child, { addresses })
    },
    async kill(writer) {
      const child = children[writer] as ChildProcess
      // By then everything that it said has been heard.
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
      children[writer] = begin(writer)
    },
    async end() {
      const closed = children.map((child) => (child.exitCode === null ? once(child, 'close') : null))
      for (const child of children) post(child, { end: true })
      await Promise.all(closed)
    },
  }
}
