/**
 * numerator / denominator rounded to a number of decimals, half away from zero, computed in whole numbers so that a half
 * is a half. Both must be safe integers. Null where the denominator is 0.
 */
export function roundedRatio(numerator: number, denominator: number, decimals: number): number | null {
  if (denominator === 0) return null
  const [n, d, scale] = [Math.abs(numerator), Math.abs(denominator), 10 ** decimals]
  const doubled = 2 * n * scale + d
  // Whole numbers of any size only where a double does not hold them: an answer has dozens of ratios.
  if (doubled > Number.MAX_SAFE_INTEGER || 2 * d > Number.MAX_SAFE_INTEGER) {
    return roundedFraction(BigInt(numerator), BigInt(denominator), decimals)
  }
  const rounded = wholeQuotient(doubled, 2 * d) / scale
  return numerator < 0 !== denominator < 0 && rounded !== 0 ? -rounded : rounded
}

/** The whole part of a quotient of two safe integers that are not negative. */
function wholeQuotient(a: number, b: number): number {
  const quotient = Math.floor(a / b)
  // The division of doubles may have been rounded up to a whole number.
  return quotient * b > a ? quotient - 1 : quotient
}

/** The same over whole numbers of any size, for products that may pass 2^53. */
export function roundedFraction(numerator: bigint, denominator: bigint, decimals: number): number | null {
  if (denominator === 0n) return null
  const negative = numerator < 0n !== denominator < 0n && numerator !== 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const scale = 10n ** BigInt(decimals)
  const rounded = Number((2n * n * scale + d) / (2n * d)) / Number(scale)
  return negative && rounded !== 0 ? -rounded : rounded
}
