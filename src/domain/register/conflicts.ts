// What the definitions of a register say against themselves and against each other.

import { type Conflict, differingCitations, ownCitations, undefinedReference, undefinedSources } from '../conflict.ts'
import type { Definition, ProgrammeData, RegisterState } from './state.ts'

/** The conflicts of the definition of one thing that is in force, given all its definitions, in order. */
export type ConflictsOf<T> = (
  versions: readonly Definition<T>[],
  inForce: Definition<T>,
  register: RegisterState,
) => Conflict[]

/** Those of any definition: citations that differ, and citations from sources that are not defined. */
export const conflictsOfDefinition: ConflictsOf<unknown> = (_, { citations }, register) => [
  ...differingCitations(citations),
  ...undefinedSources(citations, register),
]

/** The definition by which a programme has its parent: one that amends it without naming a parent keeps it. */
function givingParent(versions: readonly Definition<ProgrammeData>[], inForce: Definition<ProgrammeData>) {
  const upTo = versions.slice(0, versions.indexOf(inForce) + 1)
  return upTo[upTo.findLastIndex(({ data }) => data.parent !== inForce.data.parent) + 1] ?? inForce
}

/** Those of a programme: the same, and a parent that is not defined. */
export const conflictsOfProgramme: ConflictsOf<ProgrammeData> = (versions, inForce, register) => {
  const conflicts = conflictsOfDefinition(versions, inForce, register)
  const { parent } = inForce.data
  if (parent === undefined || register.programmes.has(parent)) return conflicts
  const giving = givingParent(versions, inForce)
  const fact = { position: giving.position, citations: ownCitations(giving) }
  return [...conflicts, undefinedReference(`programme ${parent}`, [fact])]
}
