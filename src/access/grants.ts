// Who may do what: roles, the permissions that they come to, and registers as the unit of access. Pure.

import { z } from 'zod'
import { slug } from '../domain/fields.ts'

export const ROLES = ['auditor', 'recorder', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What can be done with a register. Opening one and making it public is administering it. */
export type Action = 'read' | 'record' | 'operate' | 'redact' | 'administer'

const ACTIONS: Record<Role, readonly Action[]> = {
  auditor: ['read'],
  recorder: ['read', 'record'],
  operator: ['read', 'operate', 'redact'],
  admin: ['read', 'administer'],
}

/** Every register, those that are opened later too. */
export const ALL_REGISTERS = '*'

export const grant = z.strictObject({
  role: z.enum(ROLES),
  register: z.union([z.literal(ALL_REGISTERS), slug]),
})
export type Grant = z.output<typeof grant>

/** Somebody who is known: an opaque id, which events keep as `recordedBy`, and what was granted. */
export type Caller = {
  id: string
  grants: readonly Grant[]
  /** Milliseconds since the epoch; null: it does not end by itself. */
  expiresAt: number | null
}

/** Everyone on this machine, where there is no access control. */
export const LOCAL: Caller = {
  id: 'local',
  grants: ROLES.map((role) => ({ role, register: ALL_REGISTERS })),
  expiresAt: null,
}

/** Whether a caller may do this with a register; with null whether with all of them. */
export function may({ grants }: Caller, action: Action, register: string | null): boolean {
  return grants.some(
    (one) => (one.register === ALL_REGISTERS || one.register === register) && ACTIONS[one.role].includes(action),
  )
}

/** Whether a caller may do this with any register at all. */
export function mayAnywhere({ grants }: Caller, action: Action): boolean {
  return grants.some(({ role }) => ACTIONS[role].includes(action))
}

/** A grant as text, `role:register`; null where it is none. */
export function parseGrant(text: string): Grant | null {
  const [role, register, ...rest] = text.split(':')
  const parsed = grant.safeParse({ role, register })
  return parsed.success && rest.length === 0 ? parsed.data : null
}
