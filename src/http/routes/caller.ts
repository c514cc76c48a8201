// Who is asking, and what the caller may do: for pages, which offer no more than that, and for a first try of a token.

import { z } from 'zod'
import { ALL_REGISTERS, ROLES } from '../../access/grants.ts'
import type { Context } from '../server/context.ts'
import type { App } from '../server/typed.ts'

const grantAnswer = z.strictObject({
  role: z.enum(ROLES).meta({ description: 'What the caller may do there' }),
  register: z.string().nullable().meta({ description: 'The register that the role is for; null: every register' }),
})

const callerAnswer = z
  .strictObject({
    control: z
      .enum(['none', 'tokens', 'oidc'])
      .meta({ description: 'How callers are known. none: everyone on this machine may do everything' }),
    caller: z.string().nullable().meta({
      description: 'The id of the caller; null: a caller without credentials, who may read public registers alone',
    }),
    grants: z.array(grantAnswer).meta({ description: 'What the caller may do; empty without access control' }),
  })
  .meta({ id: 'CallerAccess', description: 'Who asks, and what they may do' })
export type CallerAnswer = z.output<typeof callerAnswer>

export function callerRoutes(app: App, { access }: Context): void {
  app.get(
    '/v1/access',
    {
      config: { permission: 'visible' },
      schema: {
        operationId: 'readAccess',
        summary: 'Read who is asking, and what the caller may do',
        description: 'The id of the caller, and the role in each register.',
        tags: ['operations'],
        querystring: z.strictObject({}),
        response: { 200: callerAnswer },
      },
    },
    async ({ caller }, reply): Promise<CallerAnswer> => {
      reply.header('cache-control', 'no-store')
      const grants = (caller?.grants ?? []).map(({ role, register }) => ({
        role,
        register: register === ALL_REGISTERS ? null : register,
      }))
      return { control: access.mode, caller: caller?.id ?? null, grants }
    },
  )
}
