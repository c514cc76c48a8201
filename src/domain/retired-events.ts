// Shapes that events had once. A stored shape is never edited. When one changes, the old schema moves here with one
// pure step to the next version. Every fold reads old events through the walk below.

import type { z } from 'zod'

/** A retired shape: version n of a type is entry n - 1; `next` turns its data into version n + 1. */
type RetiredShape = { schema: z.ZodType; next: (data: unknown) => unknown }

export type RetiredShapes = Readonly<Record<string, readonly RetiredShape[]>>

export const RETIRED_SHAPES: RetiredShapes = {}

/** The version that new events of the type get: 1, plus one for each retired shape. */
export function currentVersion(type: string, retired: RetiredShapes = RETIRED_SHAPES): number {
  return (retired[type]?.length ?? 0) + 1
}

/** The data of a stored event in the current shape of its type. */
export function upcast(type: string, version: number, data: unknown, retired: RetiredShapes = RETIRED_SHAPES): unknown {
  return (retired[type] ?? []).slice(version - 1).reduce((older, shape) => shape.next(older), data)
}
