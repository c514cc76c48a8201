// JSON that somebody else wrote, read so that its text says nothing that its value does not. So another reader of the
// same file sees the content that was checked.

import { isExactly } from './decimal.ts'

/** A JSON text that says more than the value that JSON.parse makes of it. */
export class InexactJsonError extends Error {}

/**
 * The value of a JSON text; whole numbers that a double does not hold are BigInt. Throws SyntaxError if it is no JSON.
 * Throws InexactJsonError if JSON.parse would lose something, or if the nesting is too deep. That is a name that
 * stands twice in an object, digits of a number, or the name `__proto__`, which libraries drop.
 */
export function exactJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  try {
    // As JSON.stringify writes it nothing was lost; to look closer costs several times as much.
    if (!text.includes('__proto__') && JSON.stringify(value) === text) return value
    refuseRepeatedNames(text)
    // The third argument is newer than the type of JSON.parse.
    return JSON.parse(text, (name: string, value: unknown, context?: { source?: string }) => {
      if (name === '__proto__')
        throw new InexactJsonError('it has the name "__proto__", which readers treat differently')
      return typeof value === 'number' ? exactNumber(value, context?.source ?? '') : value
    })
  } catch (error) {
    if (error instanceof RangeError) throw new InexactJsonError('it is nested too deeply')
    throw error
  }
}

/** Throws InexactJsonError where an object of the text, which is JSON, has a name twice. */
function refuseRepeatedNames(text: string): void {
  const open: Set<string>[] = []
  for (const [token, written, colon] of text.matchAll(/("(?:[^"\\]+|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (written !== undefined && colon !== undefined) {
      const names = open.at(-1)
      // Two ways to write a name are one name.
      const name: string = JSON.parse(written)
      if (names?.has(name)) throw new InexactJsonError(`the name ${JSON.stringify(name)} stands twice in one object`)
      names?.add(name)
    }
  }
}

function exactNumber(value: number, source: string): number | bigint {
  if (isExactly(value, source)) return value
  if (/^-?\d+$/.test(source)) return BigInt(source)
  throw new InexactJsonError(`the number ${source.slice(0, 40)} is more exact than numbers are read`)
}
