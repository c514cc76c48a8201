import canonicalize from 'canonicalize'

/**
 * The RFC 8785 (JCS) text of a JSON value: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes
 * them, no white space. What is undefined is left out of objects, and null in arrays, as JSON.stringify has it. Throws on what
 * JSON cannot hold (NaN, infinities, lone surrogates).
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError(`not a JSON value: ${typeof value}`)
  return text
}
