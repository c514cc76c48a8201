// The parameters of a list of commitments, which several routes share.

import { z } from 'zod'
import { slug } from '../../domain/fields.ts'
import { type ListPlace, listFilters, listSort, withDenominator } from '../../questions/list-query.ts'
import { clockParameters, cursorParameter, pageLimit } from '../server/parameters.ts'

export const listParameters = withDenominator(
  z.strictObject({
    ...clockParameters,
    ...listFilters,
    sort: listSort,
    limit: pageLimit.optional(),
    cursor: cursorParameter,
  }),
)
export type ListParameters = z.output<typeof listParameters>

export const listPlace: z.ZodType<ListPlace> = z.union([
  z.strictObject({ after: slug }),
  z.strictObject({ offset: z.int().min(0) }),
])
