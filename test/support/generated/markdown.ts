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

/** The page with the text between the markers of each part replaced. Throws where a part has no place on the page. */
export function withParts(page: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [open, close] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`]
    const [from, to] = [text.indexOf(open), text.indexOf(close)]
    if (from < 0 || to < from) throw new Error(`the page has no place for the generated part ${name}`)
    return `${text.slice(0, from)}${open}\n\n${part}\n\n${text.slice(to)}`
  }, page)
}
