// The requests of a page and the shortened answers that it shows: `…` stands for further members, items or text.

/** An answer as a page shows it. */
export type Shown =
  | { kind: 'any' }
  | { kind: 'value'; value: string | number | boolean | null }
  | { kind: 'list'; items: (Shown | 'gap')[] }
  | { kind: 'object'; members: Map<string, Shown>; isOpen: boolean }

const TOKEN = /\s*([{}[\],:…]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null)/y

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let at = 0; text.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[1]
    if (token === undefined) throw new SyntaxError(`not shortened JSON: ${text.slice(at, at + 40)}`)
    tokens.push(token)
  }
  return tokens
}

function parseList(tokens: string[]): Shown {
  const items: (Shown | 'gap')[] = []
  while (tokens[0] !== ']') {
    items.push(tokens[0] === '…' ? 'gap' : parseValue(tokens))
    if (items.at(-1) === 'gap') tokens.shift()
    if (tokens[0] === ',') tokens.shift()
  }
  tokens.shift()
  return { kind: 'list', items }
}

function parseObject(tokens: string[]): Shown {
  const members = new Map<string, Shown>()
  let isOpen = false
  while (tokens[0] !== '}') {
    const name = tokens.shift()
    if (name === undefined) throw new SyntaxError('an object does not end')
    if (name === '…') isOpen = true
    else if (tokens.shift() === ':') members.set(JSON.parse(name), parseValue(tokens))
    else throw new SyntaxError(`${name} has no value`)
    if (tokens[0] === ',') tokens.shift()
  }
  tokens.shift()
  return { kind: 'object', members, isOpen }
}

function parseValue(tokens: string[]): Shown {
  const token = tokens.shift()
  if (token === undefined) throw new SyntaxError('a value is missing')
  if (token === '…') return { kind: 'any' }
  if (token === '[') return parseList(tokens)
  return token === '{' ? parseObject(tokens) : { kind: 'value', value: JSON.parse(token) }
}

/** The shortened answers of a block, one after the other. Throws SyntaxError. */
export function parseShown(text: string): Shown[] {
  const tokens = tokensOf(text)
  const shown: Shown[] = []
  while (tokens.length > 0) shown.push(parseValue(tokens))
  return shown
}

function listFault(items: readonly (Shown | 'gap')[], values: readonly unknown[], path: string): string | null {
  const [first, ...rest] = items
  if (first === undefined) return values.length === 0 ? null : `${path}: ${values.length} more items`
  if (first === 'gap') {
    const faults = Array.from({ length: values.length + 1 }, (_, left) => listFault(rest, values.slice(left), path))
    return faults.includes(null) ? null : (faults[0] ?? null)
  }
  if (values.length === 0) return `${path}: an item is missing`
  return shownFault(first, values[0], `${path}/…`) ?? listFault(rest, values.slice(1), path)
}

/** Where an answer differs from the one that is shown; null where it does not. */
export function shownFault(shown: Shown, value: unknown, path = ''): string | null {
  if (shown.kind === 'any') return null
  if (shown.kind === 'value') {
    const isSame =
      typeof shown.value === 'string' && typeof value === 'string'
        ? new RegExp(
            `^${shown.value
              .split('…')
              .map((part) => RegExp.escape(part))
              .join('[\\s\\S]*')}$`,
          ).test(value)
        : shown.value === value
    return isSame ? null : `${path}: ${JSON.stringify(shown.value)} is shown, ${JSON.stringify(value)} is answered`
  }
  if (shown.kind === 'list') return Array.isArray(value) ? listFault(shown.items, value, path) : `${path}: no list`
  if (typeof value !== 'object' || value === null) return `${path}: no object`
  const extra = Object.keys(value).filter((name) => !shown.isOpen && !shown.members.has(name))
  if (extra.length > 0) return `${path}: ${extra.join(', ')} is answered and not shown`
  for (const [name, member] of shown.members) {
    const fault = shownFault(member, Object.entries(value).find(([key]) => key === name)?.[1], `${path}/${name}`)
    if (fault !== null) return fault
  }
  return null
}

export type PageRequest = { url: string; method: string; headers: Record<string, string>; body: string | null }

export type PageExample = { line: number; requests: PageRequest[]; shown: Shown[] }

/** The words of a command as a shell reads them, without expansions. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  )
}

const VALUED = ['-X', '-H', '-d', '--data-binary']

/** A curl command as a request; `file` is what `@` names. */
function requestOf(command: string, file: string): PageRequest {
  const request: PageRequest = { url: '', method: 'GET', headers: {}, body: null }
  const words = wordsOf(command).slice(1)
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    const value = words[at + 1] ?? ''
    if (['>', '#'].includes(word)) break
    if (word === '-X') request.method = value
    if (word === '-H') request.headers[value.slice(0, value.indexOf(':'))] = value.slice(value.indexOf(':') + 1).trim()
    if (word === '-d') request.body = value
    if (word === '--data-binary') request.body = file
    if (VALUED.includes(word)) at++
    else if (!word.startsWith('-')) request.url = word
  }
  return request
}

/** The examples of a page: each block of curl commands with the block of answers that follows it, if one does. */
export function pageExamples(markdown: string): PageExample[] {
  const variables = new Map<string, string>()
  let file = ''
  const examples: PageExample[] = []
  for (const { 0: block, 1: language, 2: text = '', index } of markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (language === 'ndjson') file = text
    if (language === 'json') examples.at(-1)?.shown.push(...parseShown(text))
    if (language !== 'sh') continue
    for (const [, name = '', value = ''] of text.matchAll(/^([A-Z]+)=(\S+)$/gm)) variables.set(name, value)
    const expanded = text.replaceAll(/\$([A-Z]+)\b/g, (whole, name: string) =>
      (variables.get(name) ?? whole).replace(/\$([A-Z]+)/, (_, other: string) => variables.get(other) ?? ''),
    )
    const commands = expanded.split(/^(?=curl )/m).filter((command) => command.startsWith('curl '))
    const line = markdown.slice(0, index).split('\n').length
    if (block) examples.push({ line, requests: commands.map((command) => requestOf(command, file)), shown: [] })
  }
  return examples.filter(({ requests }) => requests.length > 0)
}
