import type { Queryable } from '../../database/pool.ts'
export type Part = { part: number; done: string; upTo: string }
export async function movePart(
  _db: Queryable,
  _w: { operation: string; register: string },
  _part: Part,
  _last: string | null,
  _events: number,
): Promise<void> {}
