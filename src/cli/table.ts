// Text for people: columns that stand below each other, and nothing in them that a terminal would obey.

import { styleText } from 'node:util'

/** A column; numbers stand to the right. */
export type TableColumn = { head: string; isNumber?: boolean }

/** Text without what would move the cursor, break the line or change colours: it may be anybody's. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
}

function lengthOf(text: string): number {
  return [...text].length
}

function cut(line: string, width: number): string {
  return lengthOf(line) <= width ? line : `${[...line].slice(0, Math.max(0, width - 1)).join('')}…`
}

function padded(text: string, width: number, { isNumber = false }: TableColumn): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return isNumber ? `${space}${text}` : `${text}${space}`
}

/** Where text is written to: how wide its lines may be, and whether it may be styled. */
export type Paper = { width: number; isStyled: boolean }

/** The terminal on standard output; elsewhere lines are as long as they are. */
export function paper(): Paper {
  const { isTTY, columns } = process.stdout
  return isTTY ? { width: columns || 80, isStyled: true } : { width: Number.POSITIVE_INFINITY, isStyled: false }
}

/** A heading, bold where it may be; `NO_COLOR` is respected. */
export function heading(text: string, { isStyled }: Paper): string {
  return isStyled ? styleText('bold', text, { stream: process.stdout }) : text
}

/** The lines of a table below its heads. The last column is cut where a line would be too long. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[], on: Paper): string[] {
  const texts = [columns.map(({ head }) => head), ...rows.map((row) => row.map(plain))]
  const widths = columns.map((_, index) => Math.max(...texts.map((row) => lengthOf(row[index] ?? ''))))
  const lines = texts.map((row) => {
    const cells = columns.map((column, index) => padded(row[index] ?? '', widths[index] ?? 0, column))
    return cut(cells.join('  ').trimEnd(), on.width)
  })
  return lines.map((line, index) => (index === 0 ? heading(line, on) : line))
}
