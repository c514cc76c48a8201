// What the browser keeps for the page: where it keeps nothing (site data blocked, no room left), the page goes on without.

type Kind = 'localStorage' | 'sessionStorage'

// Of this page alone, until it is left.
const instead = new Map<string, string>()

/** What is kept under a name; null where nothing is. */
export function kept(kind: Kind, name: string): string | null {
  try {
    // To name it is refused already, where site data is blocked.
    return globalThis[kind].getItem(name) ?? instead.get(name) ?? null
  } catch {
    return instead.get(name) ?? null
  }
}

/** Keeps a text under a name; null: no longer. */
export function keep(kind: Kind, name: string, text: string | null): void {
  instead.delete(name)
  try {
    if (text === null) globalThis[kind].removeItem(name)
    else globalThis[kind].setItem(name, text)
  } catch {
    if (text !== null) instead.set(name, text)
  }
}
