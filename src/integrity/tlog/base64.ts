// Base64 as proofs and notes are written: one text for one sequence of bytes.

/** The bytes of a canonical base64 text (RFC 4648, section 4, with padding); null of any other. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}
