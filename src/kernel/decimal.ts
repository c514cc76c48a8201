// Decimal numbers as they are written, without the noise of doubles: what text says exactly, and arithmetic on it. A double
// is taken for the decimal that writes it, as a report did.

/** A decimal as its significant digits, without zeros at either end (none for 0), times ten to the power of `exponent`. */
type Decimal = { isNegative: boolean; digits: string; exponent: number }

/** Without the zeros at its end. Not by a pattern: those take the square of its length for zeros that are not at the end. */
function withoutLastZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end -= 1
  return digits.slice(0, end)
}

/** Reads a number as JSON writes it. The exponent is not exact where it has more digits than a double holds. */
function readDecimal(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = withoutLastZeros(all)
  if (digits === '') return { isNegative: false, digits, exponent: 0 }
  return { isNegative: sign === '-', digits, exponent: Number(exponent) - fraction.length + all.length - digits.length }
}

/** True where a double holds exactly what a text says: the JSON number from which it was read. */
export function isExactly(value: number, text: string): boolean {
  const [read, held] = [readDecimal(text), readDecimal(String(value))]
  return read.digits === held.digits && read.exponent === held.exponent && read.isNegative === held.isNegative
}

/** The digits of the decimal that writes a finite number, and how many of them are decimals: 4.5 is 45 with one. */
export function decimalOf(value: number): { digits: bigint; decimals: number } {
  const { isNegative, digits, exponent } = readDecimal(String(value))
  const size = BigInt(digits) * 10n ** BigInt(Math.max(0, exponent))
  return { digits: isNegative ? -size : size, decimals: Math.max(0, -exponent) }
}

function scaled({ digits, decimals }: ReturnType<typeof decimalOf>, to: number): bigint {
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
