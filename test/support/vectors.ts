// The public vectors (test/vectors), which more than one implementation is held against.

import { readFileSync } from 'node:fs'

/** A vector file; safe: each test names the shape of what it reads of it. */
export function vectors<T>(name: string): T {
  const text = readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')
  // 64-bit numbers, which a double cannot hold. The types leave the context out, in which each value's own text stands.
  const exact = (_key: string, value: unknown, context?: { source: string }) =>
    typeof value === 'number' ? BigInt(context?.source ?? value) : value
  return JSON.parse(text, exact) as T
}
