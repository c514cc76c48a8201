/**
 * numerator / denominator rounded to a number of decimals, half away from zero, computed in whole numbers so that a half
 * is a half. Both must be safe integers. Null where the denominator is 0.
 */
export function roundedRatio(numerator: number, denominator: number, decimals: number): number | null {
  return roundedFraction(BigInt(numerator), BigInt(denominator), decimals)
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
