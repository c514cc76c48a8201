// Instants as answers give them.

// Nearly every answer tells when the newest event was recorded.
let lastInstant = { epochMs: Number.NaN, text: '' }

/** An instant, given in milliseconds since the epoch, as RFC 3339 text in UTC with milliseconds. */
export function instantText(epochMs: number): string {
  if (lastInstant.epochMs !== epochMs) lastInstant = { epochMs, text: new Date(epochMs).toISOString() }
  return lastInstant.text
}
