// The parameters in the paths of routes, by their names, for the description of the API alone. No route checks its path by
// these: a path that cannot be right names nothing, and is answered 404, where a schema of the route would have it answered 400.

import { z } from 'zod'
import { slug } from '../../domain/fields.ts'
import { PROBLEM_WORDS } from '../../kernel/problem-words.ts'
import { VERSIONS } from '../../projections/core/versions.ts'

const projections = Object.keys(VERSIONS)

const PATH_PARAMETERS: Readonly<Record<string, z.ZodType>> = {
  register: slug.meta({ description: 'The id of the register' }),
  commitment: slug.meta({ description: 'The id of the commitment' }),
  position: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/)
    .meta({ description: 'The position of the event in the log of the register, from 0' }),
  projection: z.enum(projections).meta({ description: 'The name of the projection' }),
  name: z.enum(['all', ...projections]).meta({ description: 'The name of the projection, or `all`' }),
  id: z.uuid().meta({ description: 'The id of the operation' }),
  level: z
    .string()
    .regex(/^(?:\d|[1-5]\d|6[0-3]|entries)$/)
    .meta({ description: 'The level of the tile, from 0 to 63, or `entries` for the leaves' }),
  '*': z
    .string()
    .regex(/^(?:x\d{3}\/)*\d{3}(?:\.p\/[1-9]\d{0,2})?$/)
    .meta({
      description:
        'The index of the tile in groups of three digits, all but the last marked with x. A partial tile adds `.p/` and its width',
    }),
  word: z.enum(PROBLEM_WORDS).meta({ description: 'The word of the problem, with which its `type` ends' }),
}

/** The schema of the parameters in the path of a route, which the router writes `:name`, or `*` for the rest; null without any. */
export function pathParameters(url: string): z.ZodObject | null {
  const names = [...url.matchAll(/(?<=:)[A-Za-z]+|\*/g)].map(([name]) => name)
  if (names.length === 0) return null
  return z.object(Object.fromEntries(names.map((name) => [name, PATH_PARAMETERS[name] ?? z.string()])))
}
