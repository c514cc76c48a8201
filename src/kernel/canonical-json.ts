/**
 * The RFC 8785 (JCS) text of a JSON value: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes
 * them, no white space. Members that are undefined are left out. Throws on what JSON cannot hold (NaN, infinities, lone surrogates).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  if (typeof value === 'object' && value !== null) return canonicalObject(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a JSON number')
  if (typeof value === 'string' && !value.isWellFormed()) throw new TypeError('not well-formed text')
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`not a JSON value: ${typeof value}`)
  return text
}

function canonicalObject(value: object): string {
  const members: string[] = []
  // Array.prototype.sort without a comparator orders by UTF-16 code units, as RFC 8785 section 3.2.3 asks.
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) members.push(`${canonicalJson(key)}:${canonicalJson(member)}`)
  }
  return `{${members.join(',')}}`
}
