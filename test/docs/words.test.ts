// The prose of the documents and of the API: short sentences, and nobody has to guess who acts.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commentsOf, faultsOf, sentencesOf } from '../support/prose.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = globSync(['*.md', 'docs/**/*.md', 'docker/*.md', 'findings/*.md'], { cwd: ROOT }).sort()

t.test('no sentence of the documents has more than 30 words, or a clause that names nobody', async (t) => {
  t.ok(PAGES.length > 20)
  const faults = PAGES.flatMap((page) =>
    faultsOf(readFileSync(join(ROOT, page), 'utf8')).map((fault) => `${page} ${fault}`),
  )
  t.strictSame(faults, [])
})

/** Every summary and description below a value, with the path that leads to it. */
function descriptionsIn(value: unknown, path: string): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, below]) =>
    (key === 'description' || key === 'summary') && typeof below === 'string'
      ? [[`${path}/${key}`, below]]
      : descriptionsIn(below, `${path}/${key}`),
  )
}

t.test('no sentence of the API description has more than 30 words, or a clause that names nobody', async (t) => {
  const described = descriptionsIn(JSON.parse(readFileSync(join(ROOT, 'openapi/openapi.json'), 'utf8')), '')
  t.ok(described.length > 50)
  const faults = described.flatMap(([path = '', text = '']) => faultsOf(text).map((fault) => `${path} ${fault}`))
  t.strictSame(faults, [])
})

const SOURCES = globSync('src/**/*.{ts,tsx}', { cwd: ROOT }).sort()

t.test('no sentence of a comment has more than 30 words, or a clause that names nobody', async (t) => {
  const comments = SOURCES.flatMap((path) =>
    commentsOf(readFileSync(join(ROOT, path), 'utf8')).map(({ line, text }) => ({ at: `${path}:${line}`, text })),
  )
  t.ok(comments.length > 1_000)
  t.strictSame(
    comments.flatMap(({ at, text }) => faultsOf(text).map((fault) => `${at} ${fault}`)),
    [],
  )
})

t.test('sentences are read as they stand: without code, addresses and the borders of cells', async (t) => {
  const text = [
    '# A heading',
    'One `a b c` two.\nThree [four](https://example.org/a.b). Five?',
    '',
    '    not read at all. At all.',
    '',
    '| cell one. | cell two |',
    '```\nnot read. Either.\n```',
    '- an item',
    '  that goes on',
  ].join('\n')
  t.strictSame(
    sentencesOf(text).map(({ words, line }) => [line, words]),
    [
      [1, 2],
      [2, 3],
      [2, 2],
      [2, 1],
      [7, 2],
      [7, 2],
      [11, 5],
    ],
  )
})

t.test('a sentence that is too long, and a clause without a head, are found', async (t) => {
  const long = Array.from({ length: 31 }, () => 'word').join(' ')
  t.match(faultsOf(`${long}.`), [/^line 1: 31 words/])
  t.strictSame(faultsOf(`${long.slice(5)}.`), [])
  t.match(faultsOf('Whoever reads it is told.'), [/"Whoever"/])
  t.match(faultsOf('That which holds is kept.'), [/"That which"/])
  t.match(faultsOf('What is not known is null.'), [/"What is not known is"/])
  t.strictSame(faultsOf('Ask what is not known.'), [])
})

t.test('comments are read whole, each line that is indented by itself', async (t) => {
  const source = [
    '// One',
    '// two.',
    '//   a  word',
    'const x = 1 // beside',
    '/** A doc. */',
    '/**',
    ' * More',
    ' * of it.',
    ' */',
  ]
  t.strictSame(commentsOf(source.join('\n')), [
    { line: 1, text: 'One\ntwo.' },
    { line: 3, text: 'a  word' },
    { line: 5, text: 'A doc.' },
    { line: 6, text: 'More\nof it.' },
  ])
})
