// What must stand in no log of the suite: every service and every process of a test looks for it when it ends.

const SECRETS: [what: string, pattern: RegExp][] = [
  ['a token', /pledger_[A-Za-z0-9_-]{43}/],
  ['a JWT', /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\./],
  ['a header with credentials', /bearer +[A-Za-z0-9._~+/-]{16,}/i],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
]

/** Which secret stands in a text; null where none does. */
export function secretIn(text: string): string | null {
  return SECRETS.find(([, pattern]) => pattern.test(text))?.[0] ?? null
}

/** Throws where a secret stands in a log. */
export function checkLog(log: string): void {
  const secret = secretIn(log)
  if (secret) throw new Error(`${secret} stands in a log`)
}
