// Finds fields in the schemas and in the data of events by what they mean.

import { z } from 'zod'
import { FIELD_MEANINGS, type FieldMeaning } from './fields.ts'

/** Where a field stands in the data of an event: the members that lead there, `*` for each item of a list. */
export type FieldPath = readonly string[]
type Leaf = { path: FieldPath; schema: z.ZodType }

/** The fields of a schema that hold no further fields, in order. Throws on a schema that it cannot look into. */
export function leavesOf(schema: unknown, path: FieldPath = []): Leaf[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return leavesOf(schema.unwrap(), path)
  }
  if (schema instanceof z.ZodArray) return leavesOf(schema.element, [...path, '*'])
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, member]) => leavesOf(member, [...path, name]))
  }
  if (schema instanceof z.ZodType && LEAVES.some((type) => schema instanceof type)) return [{ path, schema }]
  throw new Error(`field ${path.join('.')} is of a type whose fields cannot be found`)
}

const LEAVES = [z.ZodString, z.ZodStringFormat, z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodRecord]

/** A field that means something, by its place in a schema. */
type MeaningfulField = { path: FieldPath; meaning: FieldMeaning }

/** The fields of a schema that mean something, in order. */
export function meaningfulFields(schema: z.ZodType): MeaningfulField[] {
  return leavesOf(schema).flatMap(({ path, schema }) => {
    const meaning = FIELD_MEANINGS.get(schema)
    return meaning ? [{ path, meaning }] : []
  })
}

/** The texts that stand in data at a path, each with its JSON pointer; none where a member is left out or null. */
export function textsAt(data: unknown, [step, ...rest]: FieldPath, pointer = ''): { text: string; pointer: string }[] {
  if (data === undefined || data === null) return []
  if (step === undefined) return [{ text: String(data), pointer }]
  if (step !== '*') return textsAt((data as Record<string, unknown>)[step], rest, `${pointer}/${step}`)
  return (data as unknown[]).flatMap((item, index) => textsAt(item, rest, `${pointer}/${index}`))
}

/** Whether every text that stands in data at a path passes a test. */
export function everyTextAt(data: unknown, path: FieldPath, passes: (text: string) => boolean, from = 0): boolean {
  if (data === undefined || data === null) return true
  const step = path[from]
  if (step === undefined) return passes(String(data))
  if (step === '*') return (data as unknown[]).every((item) => everyTextAt(item, path, passes, from + 1))
  return everyTextAt((data as Record<string, unknown>)[step], path, passes, from + 1)
}
