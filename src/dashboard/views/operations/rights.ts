// What the caller may do, so that no more than that is offered. The service decides all the same.

import type { CallerAnswer } from '../../answers.ts'

/** Whether the caller may have a register's projections built anew; null: of all registers. */
export function mayOperate(access: CallerAnswer | undefined, register: string | null): boolean {
  return access?.grants.some((grant) => grant.role === 'operator' && (grant.register ?? register) === register) ?? false
}

export function mayOperateAnything(access: CallerAnswer | undefined): boolean {
  return access?.grants.some(({ role }) => role === 'operator') ?? false
}

/** Whether the caller is told of every register; every role may read. */
export function seesEverything(access: CallerAnswer | undefined): boolean {
  return access?.grants.some(({ register }) => register === null) ?? false
}
