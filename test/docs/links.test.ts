// Every relative link of a document leads somewhere: to a file, and to a heading in it.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = globSync(['*.md', 'docs/**/*.md', 'docker/*.md', 'findings/*.md'], { cwd: ROOT }).sort()

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
}

/** The anchors of a page as GitHub makes them of its headings. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of textOf(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    const anchor = words.trim().replaceAll(' ', '-')
    const count = [...anchors].filter((one) => one === anchor || one.startsWith(`${anchor}-`)).length
    anchors.add(anchors.has(anchor) ? `${anchor}-${count}` : anchor)
  }
  return anchors
}

t.test('every relative link leads to a file, and to a heading in it', async (t) => {
  const links = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
  )
  t.ok(links.length > 50)
  const broken = links.filter(({ page, target }) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(join(ROOT, file))) return true
    return anchor !== undefined && !anchorsOf(file).has(anchor)
  })
  t.strictSame(
    broken.map(({ page, target }) => `${page}: ${target}`),
    [],
  )
})

/** The files of the repository that a page names in code marks, such as `src/main.ts`. */
function filesNamed(page: string): string[] {
  const named = textOf(page).matchAll(/`((?:src|test|migrations|openapi|docs|docker|findings)\/[\w./-]+)`/g)
  return [...named].map(([, path = '']) => path).filter((path) => !/NNNN/.test(path))
}

t.test('every file of the repository that a document names is there', async (t) => {
  const missing = PAGES.flatMap((page) =>
    filesNamed(page)
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page}: ${path}`),
  )
  t.strictSame(missing, [])
})

t.test('every test that the page on security names is there', async (t) => {
  let file = ''
  const missing: string[] = []
  for (const line of textOf('docs/SECURITY.md').split('\n')) {
    file = [...line.matchAll(/`(test\/\S+\.ts)`/g)].at(-1)?.[1] ?? file
    const title = /^- "(.*?)(?: …)?"$/.exec(line)?.[1]
    if (title && !readFileSync(join(ROOT, file), 'utf8').includes(title)) missing.push(`${file}: ${title}`)
  }
  t.strictSame(missing, [])
})
