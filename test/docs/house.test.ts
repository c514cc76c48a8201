// The table of rooms in CONTRIBUTING.md is the graph of imports.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const SRC = join(ROOT, 'src')

/** The room of a path below `src`: its folder, or the file itself where it stands in none. */
function roomOf(path: string): string {
  return path.split('/')[0] as string
}

/** What each room imports of others, from the sources. */
function importsOfRooms(): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>()
  for (const path of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name))) {
    const imports = rooms.get(roomOf(path)) ?? new Set()
    rooms.set(roomOf(path), imports)
    // Where the page takes the types of answers; test/architecture.test.ts holds it to types alone.
    if (path === 'dashboard/answers.ts') continue
    for (const [, target = ''] of readFileSync(join(SRC, path), 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)) {
      const room = roomOf(relative(SRC, resolve(SRC, path, '..', target)))
      if (room !== roomOf(path)) imports.add(room)
    }
  }
  return rooms
}

/** The rooms that each row of the table allows to import. */
function tableOfRooms(): Map<string, string[]> {
  const table = new Map<string, string[]>()
  for (const line of readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const room = /^`([a-z]+)`$/.exec(cells[1] ?? '')?.[1]
    if (room && cells.length === 6)
      table.set(
        room,
        [...(cells[4] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
      )
  }
  return table
}

t.test('CONTRIBUTING names every room, and every room imports only what its row names', async (t) => {
  const table = tableOfRooms()
  const rooms = importsOfRooms()
  const folders = [...rooms.keys()].filter((room) => !room.includes('.'))
  t.strictSame(
    folders.filter((room) => !table.has(room)),
    [],
  )
  // The command line wires everything together.
  const wrong = folders
    .filter((room) => room !== 'cli')
    .flatMap((room) =>
      [...(rooms.get(room) ?? [])]
        .filter((name) => !table.get(room)?.includes(name))
        .map((name) => `${room} → ${name}`),
    )
  t.strictSame(wrong, [])
})
