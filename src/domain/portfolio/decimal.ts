// Exact arithmetic on reported numbers: a double is taken for the decimal that writes it, as the report did.

/** A number as digits and how many of them are decimals: 4.5 is 45 with one. */
type Decimal = { digits: bigint; decimals: number }

/** The decimal that writes a number. */
export function decimalOf(value: number): Decimal {
  const [, whole = '0', part = '', exponent = '0'] = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  const decimals = part.length - Number(exponent)
  const digits = BigInt(whole + part)
  return decimals < 0 ? { digits: digits * 10n ** BigInt(-decimals), decimals: 0 } : { digits, decimals }
}

function scaled({ digits, decimals }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - decimals)
}

/** a - b without the noise of doubles: 40.3 - 40 is 0.3. */
export function less(a: number, b: number): number {
  const [x, y] = [decimalOf(a), decimalOf(b)]
  const decimals = Math.max(x.decimals, y.decimals)
  return Number(`${scaled(x, decimals) - scaled(y, decimals)}e-${decimals}`)
}

/** The number without its sign. */
export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** The percentage that `value` is of `of`, as a fraction. */
export function percentage(value: number, of: number): { numerator: bigint; denominator: bigint } {
  const [part, whole] = [decimalOf(value), decimalOf(of)]
  const decimals = Math.max(part.decimals, whole.decimals)
  const sign = whole.digits < 0n ? -1n : 1n
  return { numerator: sign * 100n * scaled(part, decimals), denominator: sign * scaled(whole, decimals) }
}
