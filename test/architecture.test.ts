// Which room may import which, and what is written nowhere: read from the sources themselves.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import t from 'tap'

const SRC = join(import.meta.dirname, '../src')

/** Where the page takes the types of answers from the schemas that they are built to. */
const TYPES_OF_ANSWERS = 'dashboard/answers.ts'

type Source = { path: string; text: string; imports: string[] }

function read(file: string): Source {
  const text = readFileSync(file, 'utf8')
  const imports = [...text.matchAll(/(?:from\s+|import\s*\(?)'([^']+)'/g)].map((match) => {
    const specifier = match[1] as string
    return specifier.startsWith('.') ? relative(SRC, resolve(file, '..', specifier)) : specifier
  })
  return { path: relative(SRC, file), text, imports }
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .sort()
  .map((path) => read(join(SRC, path)))

/** The room of a file: its folder, or the file itself where it stands in none. */
function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] as string) : path
}

/** What each room may import besides itself; the files that wire everything together stand in no room and may import any. */
const MAY_IMPORT: Record<string, string[]> = {
  kernel: [],
  domain: ['kernel'],
  database: ['kernel', 'domain', 'config.ts'],
  eventlog: ['kernel', 'domain', 'database'],
  registers: ['kernel', 'domain', 'database', 'eventlog'],
  projections: ['kernel', 'domain', 'database', 'eventlog', 'registers'],
  recording: ['kernel', 'domain', 'database', 'eventlog', 'registers'],
  integrity: ['kernel', 'domain', 'database', 'eventlog'],
  samples: ['kernel', 'domain'],
  access: ['kernel', 'domain', 'database'],
  questions: ['kernel', 'domain', 'database', 'eventlog', 'registers', 'projections'],
  http: [
    'access',
    'integrity',
    'kernel',
    'domain',
    'database',
    'eventlog',
    'registers',
    'recording',
    'projections',
    'questions',
  ],
  // Of the kernel only what needs no system: the page runs in a browser.
  dashboard: ['kernel'],
  'config.ts': ['kernel'],
}

t.test('a room imports only what lies before it on the way of the data', async (t) => {
  const wrong = sources.flatMap(({ path, imports }) => {
    const allowed = MAY_IMPORT[roomOf(path)]
    if (path === TYPES_OF_ANSWERS) return []
    const ours = imports.filter((name) => /\.tsx?$/.test(name))
    return ours
      .filter((name) => allowed && roomOf(name) !== roomOf(path) && !allowed.includes(roomOf(name)))
      .map((name) => `${path} imports ${name}`)
  })
  t.strictSame(wrong, [])
})

t.test(
  'the page takes nothing but types from the service, so that it knows only what the REST API tells',
  async (t) => {
    const { text } = sources.find(({ path }) => path === TYPES_OF_ANSWERS) as Source
    const taken = text.match(/^(?:import|export) .*from '\.\..*$/gm) ?? []
    t.ok(taken.length > 10)
    t.strictSame(
      taken.filter((line) => !/^(?:import|export) type /.test(line)),
      [],
    )
  },
)

/** Files that wire a program together: each is a folder of its own, whatever stands beside it. */
const ENTRIES = ['main.ts', 'config.ts', 'dashboard/main.tsx']

function folderOf(path: string): string {
  return ENTRIES.includes(path) ? path : path.slice(0, path.lastIndexOf('/'))
}

/** Which folders a folder's files import from, itself aside. */
function folderImports(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const { path, imports } of sources) {
    const from = folderOf(path)
    const others = imports.filter((name) => /\.tsx?$/.test(name)).map(folderOf)
    found.set(from, new Set([...(found.get(from) ?? []), ...others.filter((folder) => folder !== from)]))
  }
  return found
}

/** The folders that the files of a folder lead to, import by import. */
function reachedFrom(folder: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set<string>()
  const waiting = [...(imports.get(folder) ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    waiting.push(...(imports.get(next) ?? []))
  }
  return reached
}

t.test('no folder imports one that leads back to it, so that each can be read after those that it needs', async (t) => {
  const imports = folderImports()
  t.ok(imports.size > 40)
  t.strictSame(
    [...imports.keys()].filter((folder) => reachedFrom(folder, imports).has(folder)),
    [],
  )
})

/** The folders of the domain, each before those that may import it; `.` are the files that stand in none. */
const DOMAIN_FOLDERS = ['.', 'register', 'commitment', 'portfolio', 'admission']

t.test('no folder of the domain imports one that imports it', async (t) => {
  const folderOf = (path: string) => path.split('/').slice(1, -1).join('/') || '.'
  const links = sources
    .filter(({ path }) => roomOf(path) === 'domain')
    .flatMap(({ path, imports }) =>
      imports.filter((name) => roomOf(name) === 'domain').map((name) => ({ path, name, from: folderOf(path) })),
    )
  t.strictSame([...new Set(links.map(({ from }) => from))].sort(), DOMAIN_FOLDERS.toSorted())
  const backwards = links.filter(
    ({ name, from }) => DOMAIN_FOLDERS.indexOf(folderOf(name)) > DOMAIN_FOLDERS.indexOf(from),
  )
  t.strictSame(
    backwards.map(({ path, name }) => `${path} imports ${name}`),
    [],
  )
})

t.test(
  'the domain knows no clock, no system and no library but zod; the kernel none but that of RFC 8785',
  async (t) => {
    const libraries = (room: string) =>
      sources
        .filter(({ path }) => roomOf(path) === room)
        .flatMap(({ path, imports }) =>
          imports.filter((name) => !name.endsWith('.ts')).map((name) => `${path} ${name}`),
        )
    t.strictSame(
      libraries('domain').filter((found) => !found.endsWith(' zod')),
      [],
    )
    // Canonical JSON is written by the authors of a library for it, which passes the vectors of the RFC and is no slower.
    t.strictSame(libraries('kernel'), ['kernel/canonical-json.ts canonicalize'])
    const clocks = sources
      .filter(({ path }) => ['domain', 'kernel'].includes(roomOf(path)))
      .filter(({ text }) => /Date\.now|new Date\(\)|Temporal\.Now|Math\.random|process\.|performance\.now/.test(text))
    t.strictSame(
      clocks.map(({ path }) => path),
      [],
    )
  },
)

t.test(
  'questions know no library but zod and lru-cache, so that neither HTTP nor SQL is asked for there',
  async (t) => {
    const foreign = sources
      .filter(({ path }) => roomOf(path) === 'questions')
      .flatMap(({ path, imports }) => imports.filter((name) => !name.endsWith('.ts')).map((name) => `${path} ${name}`))
    t.ok(foreign.length > 10)
    t.strictSame(
      foreign.filter((found) => !/ (zod|lru-cache)$/.test(found)),
      [],
    )
  },
)

/** The sources whose code has statements about a table. */
function touching(table: string): Source[] {
  const statement = new RegExp(
    `(?:selectFrom|insertInto|updateTable|deleteFrom|innerJoin|leftJoin)\\(\\s*'${table}['. ]|\\b(?:from|join|into|update|table)\\s+${table}\\b(?!s)`,
    'i',
  )
  const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  return sources.filter(({ text }) => statement.test(code(text)))
}

t.test('a name is exported once in the service, so that one word means one thing', async (t) => {
  const exported =
    /^export (?:declare )?(?:async )?(?:abstract )?(?:type|interface|class|function\*?|const|let) (\w+)/gm
  const found = sources
    .filter(({ path }) => roomOf(path) !== 'dashboard')
    .flatMap(({ path, text }) => [...text.matchAll(exported)].map((match) => ({ path, name: match[1] as string })))
  t.ok(found.length > 1_000)
  // A schema and the type of what it parses share a name, in one file.
  const files = Map.groupBy(found, ({ name }) => name)
  const twice = [...files].filter(([, places]) => new Set(places.map(({ path }) => path)).size > 1)
  t.strictSame(
    twice.map(([name, places]) => `${name}: ${places.map(({ path }) => path).join(', ')}`),
    [],
  )
})

t.test('only the event log touches table event', async (t) => {
  t.strictSame([...new Set(touching('event').map(({ path }) => roomOf(path)))], ['eventlog'])
})

t.test('one file alone touches the table of how far projections have read', async (t) => {
  t.strictSame(
    touching('projection_progress').map(({ path }) => path),
    ['projections/core/progress.ts'],
  )
})

t.test(
  'a switch on the type of an event ends in assertNever, so that a new type breaks every fold that forgot it',
  async (t) => {
    const switches = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/^( *)switch \((?:\w+\.)*type\) \{\n([\s\S]*?)^\1\}/gm)].map((match) => ({
        path,
        body: match[2] as string,
      })),
    )
    t.ok(switches.length >= 2)
    const forgetful = switches.filter(({ body }) => !/default:\s*return assertNever\(\w+\)\s*$/.test(body))
    t.strictSame(
      forgetful.map(({ path }) => path),
      [],
    )
  },
)

t.test('nothing is of type any, and no compiler error is silenced', async (t) => {
  const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/(?! *@ts).*|'[^'\n]*'/g, '')
  const loose = sources.filter(({ text }) =>
    /(?:: |<|as |\| )any\b(?!\()|@ts-(?:ignore|expect-error|nocheck)/.test(code(text)),
  )
  t.strictSame(
    loose.map(({ path }) => path),
    [],
  )
})
