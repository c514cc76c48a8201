// Markdown as the generated parts of the documentation need it.

/** A line that tells readers not to edit what follows. */
export const NOTICE = '<!-- Written by `npm run generate`. Edit the source that it names instead. -->'

/** Text that a cell of a table can hold. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** A table. Cells are Markdown; `|` in them is escaped. Ends without a newline. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n')
}

/** Text in the typeface of code; nothing where there is none. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
