// Which sources are shown, and in what order. Knows nothing of the page.

import type { SourceAnswer } from '../../answers.ts'

const KEYS = {
  publishedOn: ({ publishedOn }: SourceAnswer) => publishedOn?.value ?? null,
  publisher: ({ publisher }: SourceAnswer) => publisher,
  title: ({ title }: SourceAnswer) => title,
}

function isSort(name: string): name is keyof typeof KEYS {
  return Object.hasOwn(KEYS, name)
}

/** Newest first. */
export const DEFAULT_SORT = '-publishedOn'

/** Sorted by publishedOn, publisher or title, downwards with a minus before it; what is unknown stands last either way. */
export function sorted(items: readonly SourceAnswer[], sort: string, locale: string): SourceAnswer[] {
  const { compare } = new Intl.Collator(locale, { numeric: true })
  const isDown = sort.startsWith('-')
  const name = sort.replace(/^-/, '')
  const keyOf = isSort(name) ? KEYS[name] : KEYS.publishedOn
  const keyed = items.map((item) => ({ item, key: keyOf(item) }))
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null)
    const order = compare(a.key, b.key) || compare(a.item.id, b.item.id)
    return isDown ? -order : order
  })
  return keyed.map(({ item }) => item)
}

/** The words of a search, as `holds` takes them. */
export function termsOf(q: string): string[] {
  return q.toLowerCase().split(/\s+/).filter(Boolean)
}

/** Whether every word that is looked for stands somewhere in a source, whatever its case. */
export function holds(source: SourceAnswer, terms: readonly string[]): boolean {
  const { id, title, publisher, author, url, archivedUrl, contentHash, publishedOn } = source
  const text = [id, title, publisher, author, url, archivedUrl, contentHash, publishedOn?.value].join(' ').toLowerCase()
  return terms.every((term) => text.includes(term))
}
