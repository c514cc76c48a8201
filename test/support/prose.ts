// What a reader reads of a Markdown text, as sentences: the tests of the documents hold their length and their words.

export type Sentence = { line: number; text: string; words: number }

/** More words than this and a reader has to start again. */
const MAX_WORDS = 30

/** Clauses that name nobody and nothing: the reader has to guess who acts. */
const HEADLESS = /\bwhoever\b|\bthat which\b|\bwhat (?:is|are|was|were) not\b[^.?!]*?\b(?:is|are|was|were)\b/i

type Block = { line: number; text: string }

const FENCE = /^\s*(?:```|~~~)/
const LIST_ITEM = /^\s*(?:[-*+]|\d+\.)\s+/

/** A line that begins a block of its own: a heading, a list item, a quotation. */
function beginsBlock(line: string): boolean {
  return /^#{1,6} /.test(line) || LIST_ITEM.test(line) || /^>/.test(line)
}

/** The blocks of a Markdown text without its code: paragraphs, headings, list items, and each cell of a table by itself. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: Block | null = null
  let isFenced = false
  let isInList = false
  const close = () => {
    if (open) blocks.push(open)
    open = null
  }
  for (const [index, raw] of markdown.split('\n').entries()) {
    const line = index + 1
    if (FENCE.test(raw)) {
      close()
      isFenced = !isFenced
      continue
    }
    if (isFenced) continue
    if (raw.trim() === '') {
      close()
      continue
    }
    // Four spaces after an empty line are code, except where they go on with a list item.
    const isCode = open === null && /^ {4}/.test(raw) && !isInList
    if (isCode || (open === null && /^ {6}/.test(raw) && !LIST_ITEM.test(raw))) continue
    if (/^\|/.test(raw)) {
      close()
      blocks.push(...raw.split(/(?<!\\)\|/).map((text) => ({ line, text })))
      continue
    }
    if (beginsBlock(raw)) close()
    if (/^\S/.test(raw)) isInList = LIST_ITEM.test(raw)
    if (LIST_ITEM.test(raw)) isInList = true
    if (open) (open as Block).text += ` ${raw.trim()}`
    else open = { line, text: raw.trim() }
    // A heading ends with its line.
    if (/^#{1,6} /.test(raw)) close()
  }
  close()
  return blocks
}

/** The text as it is read aloud: links by their words, code as one word, no addresses, no marks. */
function readable(text: string): string {
  return text
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/``?[^`]+``?/g, 'code')
    .replaceAll(/<?https?:\/\/\S+>?/g, 'address')
    .replaceAll(/^\s*(?:[-*+]|\d+\.|#{1,6}|>)\s+/g, '')
    .replaceAll(/[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}/g, '')
}

function wordsOf(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

/** The sentences of a Markdown text with the line on which the block of each begins. */
export function sentencesOf(markdown: string): Sentence[] {
  return blocksOf(markdown).flatMap(({ line, text }) =>
    readable(text)
      .split(/(?<=[.!?]["”’)]*)\s+(?=["“‘(]*[\p{Lu}\p{N}]|code)/u)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== '')
      .map((sentence) => ({ line, text: sentence, words: wordsOf(sentence) })),
  )
}

/** What is wrong with the sentences of a text, a line for each: too many words, or a clause that names nobody. */
export function faultsOf(markdown: string, maxWords = MAX_WORDS): string[] {
  return sentencesOf(markdown).flatMap(({ line, text, words }) => [
    ...(words > maxWords ? [`line ${line}: ${words} words: ${text}`] : []),
    ...(HEADLESS.test(text) ? [`line ${line}: "${HEADLESS.exec(text)?.[0]}": ${text}`] : []),
  ])
}

const COMMENT = /^\s*(?:\/\/|\/\*\*|\*(?!\/))\s?(.*?)(?:\s*\*\/)?\s*$/

/** The comments of a TypeScript file as Markdown texts, with the line on which each begins; an indented line is one of its own. */
export function commentsOf(source: string): { line: number; text: string }[] {
  const comments: { line: number; text: string }[] = []
  let isOpen = false
  for (const [index, raw] of source.split('\n').entries()) {
    const text = COMMENT.exec(raw)?.[1]
    if (text === undefined || !/^\s*(?:\/\/|\/\*\*|\*)/.test(raw)) {
      isOpen = false
      continue
    }
    const last = comments.at(-1)
    if (isOpen && last && !/^\s*\/\*\*/.test(raw) && !/^ {2}/.test(text))
      last.text = `${last.text}\n${text}`.trimStart()
    else comments.push({ line: index + 1, text: text.trim() })
    isOpen = !/\*\/\s*$/.test(raw)
  }
  return comments
}
