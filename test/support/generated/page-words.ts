// What the page takes from the tables of the domain: it holds none of the service's code, so their words are written out for it.

import { FIGURE_NAMES, FIGURES, SHARE_NAMES } from '../../../src/domain/figures.ts'

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}

function keyOf(name: string): string {
  return /^\w+$/.test(name) ? name : quoted(name)
}

function recordOf(entries: readonly (readonly [name: string, text: string])[]): string {
  return `{\n${entries.map(([name, text]) => `  ${keyOf(name)}: ${quoted(text)},`).join('\n')}\n}`
}

/** src/dashboard/generated.ts */
export function pageWords(): string {
  const figures = (member: 'kind' | 'title' | 'note') =>
    recordOf(FIGURE_NAMES.map((name) => [name, FIGURES[name][member]]))
  const shares = SHARE_NAMES.map((name) => `  ${quoted(name)},`).join('\n')
  return `// Generated from the table of figures (src/domain/figures.ts): npm run generate.

/** What kind of number a figure is. */
export const FIGURE_KINDS: Record<string, string> = ${figures('kind')}

/** What a figure is called. */
export const FIGURE_WORDS: Record<string, string> = ${figures('title')}

/** What a figure means, in one sentence. */
export const FIGURE_NOTES = ${figures('note')} as const

/** The figures that are a count of a whole, with a percentage. */
export const SHARES = [\n${shares}\n] as const
`
}
