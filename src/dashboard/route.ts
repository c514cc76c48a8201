// Which view an address names. The service answers the same paths with the page (src/http/routes/page.ts).

export type Route =
  | { view: 'registers' }
  | { view: 'operations' }
  | { view: RegisterView; register: string }
  | { view: 'commitment'; register: string; commitment: string }
  | { view: 'event'; register: string; position: string }
  | { view: 'nowhere' }

export const REGISTER_VIEWS = ['overview', 'commitments', 'figures', 'conflicts', 'sources', 'changes', 'log'] as const
export type RegisterView = (typeof REGISTER_VIEWS)[number]

function isRegisterView(text: string): text is RegisterView {
  return text !== 'overview' && (REGISTER_VIEWS as readonly string[]).includes(text)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function routeOf(path: string): Route {
  const [first, register, view, rest, ...more] = path.split('/').slice(1).map(decoded)
  if (first === '' && register === undefined) return { view: 'registers' }
  if (first === 'operations' && register === undefined) return { view: 'operations' }
  if (first !== 'registers' || !register || more.length > 0) return { view: 'nowhere' }
  if (view === undefined) return { view: 'overview', register }
  if (rest === undefined) return isRegisterView(view) ? { view, register } : { view: 'nowhere' }
  if (view === 'commitments' && rest) return { view: 'commitment', register, commitment: rest }
  if (view === 'events' && rest) return { view: 'event', register, position: rest }
  return { view: 'nowhere' }
}

export function pathOf(register: string, view: RegisterView = 'overview'): string {
  const base = `/registers/${encodeURIComponent(register)}`
  return view === 'overview' ? base : `${base}/${view}`
}

export function commitmentPath(register: string, commitment: string): string {
  return `${pathOf(register, 'commitments')}/${encodeURIComponent(commitment)}`
}

export function eventPath(register: string, position: number): string {
  return `${pathOf(register)}/events/${position}`
}

/** The view of a list that an answer of the API leads to: it takes the same parameters. */
export function listPath(list: string): string {
  return list.replace(/^\/v1/, '')
}
