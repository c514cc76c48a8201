// Checks of a report's own arithmetic: its percentage, its whole and its part.

import { z } from 'zod'
import { decimalOf, magnitude, percentage } from '../../kernel/decimal.ts'
import { roundedFraction } from '../../kernel/ratio.ts'
import { FIGURES, type FigureName, isOfWholeScope } from '../figures.ts'
import type { Report, Scope } from './report.ts'

export const checkAnswer = z
  .strictObject({
    check: z.enum(['percent', 'scope', 'part']).meta({
      description:
        'percent: value of `of` is statedPercent. scope: `of` (of inScope: value) is what the programme reports. part: value is at most `of`',
    }),
    stated: z.number().meta({ description: 'The number that the report states' }),
    computed: z.number().nullable().meta({
      description:
        'The number that it is compared with; a percentage has one decimal, half away from zero; null: it cannot be computed',
    }),
    agrees: z
      .enum(['exactly', 'whenRounded', 'no'])
      .meta({ description: 'whenRounded: not equal, but equal once rounded to the decimals stated' }),
    detail: z.string().meta({ description: 'The check, as a sentence' }),
  })
  .meta({ id: 'ReportCheck', description: 'Arithmetic on the report itself' })
type Check = z.output<typeof checkAnswer>

/** Whether a figure's value is a part of its `of`; that of the others is a number of days or an index. */
function isPart(figure: FigureName | undefined): boolean {
  if (figure === undefined) return true
  const { kind } = FIGURES[figure]
  return kind === 'number' || kind === 'share' || kind === 'coverage'
}

/** Whether a figure is a part of the whole scope, and not of some of it. */
function isPartOfScope(figure: FigureName | undefined): boolean {
  return figure === undefined || (isPart(figure) && isOfWholeScope(figure))
}

/**
 * Whether value / of is the percentage stated: exactly, or once rounded to as many decimals as are stated, half away from
 * zero. Decided in whole numbers. A trailing zero is not stored, so 45.0 counts as stated without decimals.
 */
function percentCheck(value: number, of: number, stated: number): Check {
  const share = `${value} of ${of}`
  const { numerator, denominator } = percentage(value, of)
  const check = { check: 'percent' as const, stated, computed: roundedFraction(numerator, denominator, 1) }
  if (denominator === 0n) return { ...check, agrees: 'no', detail: `${share} is no percentage` }
  const { digits, decimals } = decimalOf(stated)
  // Both over the same denominator: the exact percentage and the stated one, in units of the last decimal stated.
  const exact = numerator * 10n ** BigInt(decimals)
  const said = digits * denominator
  const apart = 2n * magnitude(exact - said)
  if (apart === 0n) return { ...check, agrees: 'exactly', detail: `${share} is exactly ${stated} %` }
  const precise = roundedFraction(numerator, denominator, Math.min(decimals, 10) + 2)
  // A half is rounded away from zero, so it reaches what is stated only from below.
  const isRounded = apart < denominator || (apart === denominator && magnitude(said) > magnitude(exact))
  return isRounded
    ? { ...check, agrees: 'whenRounded', detail: `${share} is ${precise} %, rounded ${stated} % as stated` }
    : { ...check, agrees: 'no', detail: `${share} is ${precise} %, not ${stated} % as stated` }
}

function scopeCheck(stated: number, scope: Scope): Check {
  const isSame = stated === scope.value
  const reported = `${scope.value} ${scope.unit}`
  return {
    check: 'scope',
    stated,
    computed: scope.value,
    agrees: isSame ? 'exactly' : 'no',
    detail: isSame ? `the programme reports ${reported}` : `the programme reports ${reported}, not ${stated}`,
  }
}

function partCheck(value: number, of: number): Check {
  const agrees = value <= of
  const detail = agrees ? `${value} is at most ${of}` : `${value} is more than ${of}, which it is said to be of`
  return { check: 'part', stated: value, computed: of, agrees: agrees ? 'exactly' : 'no', detail }
}

/** Arithmetic on one report itself. `scope` is what its programme reports on its day; null where it reports none. */
export function checksOf({ data }: Pick<Report, 'data'>, scope: Scope | null): Check[] {
  const { figure, value, of, statedPercent } = data
  const whole = figure === 'inScope' ? value : of
  return [
    ...(of !== undefined && statedPercent !== undefined ? [percentCheck(value, of, statedPercent)] : []),
    ...(scope && whole !== undefined && isPartOfScope(figure) ? [scopeCheck(whole, scope)] : []),
    ...(of !== undefined && isPart(figure) ? [partCheck(value, of)] : []),
  ]
}
