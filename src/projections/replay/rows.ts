// The rows of `commitments` and `periods` as COPY takes them: the same values that their rooms write in ordinary steps, which
// a test holds against each other.

import { type CommitmentRow, searchText, storedStates } from '../commitments/project.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { packChanges } from '../periods/changes.ts'
import type { TimelineVersion } from '../periods/project.ts'
import { tallyChanges } from '../periods/project.ts'
import { type NumberOf, numbersOf } from '../periods/table.ts'
import type { Piece } from '../tallies/rollup.ts'
import type { Column } from './copy.ts'

function placed<Row>({ register, generation }: RegisterBuild): Column<Row>[] {
  return [
    { name: 'register', type: 'text', value: () => register },
    { name: 'generation', type: 'bigint', value: () => generation },
  ]
}

/** Text to search is written as it is: `beforeCopy` lets the table make words of it. */
export function commitmentColumns(place: RegisterBuild): Column<CommitmentRow>[] {
  return [
    ...placed<CommitmentRow>(place),
    { name: 'id', type: 'text', value: ({ id }) => id },
    { name: 'revision', type: 'integer', value: ({ revision }) => revision },
    { name: 'last_position', type: 'bigint', value: ({ lastPosition }) => lastPosition },
    { name: 'last_on', type: 'date', value: ({ states }) => states.latest.lastOn },
    { name: 'title', type: 'text', value: ({ states }) => states.latest.title },
    { name: 'programme', type: 'text', value: ({ states }) => states.latest.programme },
    { name: 'themes', type: 'text[]', value: ({ states }) => states.latest.themes },
    { name: 'parties', type: 'text[]', value: ({ states }) => states.latest.parties },
    { name: 'lifecycle', type: 'text', value: ({ dates }) => dates.lifecycle },
    { name: 'verification', type: 'text', value: ({ dates }) => dates.verification },
    { name: 'made_on', type: 'date', value: ({ dates }) => dates.madeOn },
    { name: 'original_due_on', type: 'date', value: ({ dates }) => dates.originalDueOn },
    { name: 'current_due_on', type: 'date', value: ({ dates }) => dates.currentDueOn },
    { name: 'forecast_on', type: 'date', value: ({ dates }) => dates.forecastOn },
    { name: 'finished_on', type: 'date', value: ({ dates }) => dates.finishedOn },
    { name: 'rebaselines', type: 'integer', value: ({ states }) => Math.max(0, states.latest.baselines.length - 1) },
    { name: 'forecast_pushes', type: 'integer', value: ({ states }) => states.latest.forecastPushes },
    { name: 'states', type: 'json', value: ({ states }) => JSON.stringify(storedStates(states)) },
    { name: 'redacted', type: 'bigint[]', value: ({ redacted }) => redacted },
    { name: 'search_text', type: 'text', value: searchText },
  ]
}

/** `numberOf` gives the number of a period's membership. */
export function periodColumns(place: RegisterBuild, numberOf: NumberOf): Column<TimelineVersion>[] {
  return [
    ...placed<TimelineVersion>(place),
    { name: 'id', type: 'text', value: ({ id }) => id },
    { name: 'known_from', type: 'bigint', value: ({ knownFrom }) => knownFrom },
    { name: 'is_first', type: 'boolean', value: ({ isFirst }) => isFirst },
    { name: 'days', type: 'integer[]', value: ({ periods }) => periods.map(({ from }) => from) },
    { name: 'codes', type: 'smallint[]', value: ({ periods }) => periods.map(({ code }) => code) },
    { name: 'memberships', type: 'integer[]', value: ({ periods }) => periods.map(numberOf) },
    { name: 'begun_by', type: 'bigint[]', value: ({ periods }) => periods.map(({ begunBy }) => begunBy) },
    { name: 'numbers', type: 'integer[]', value: ({ periods }) => periods.flatMap(numbersOf) },
    { name: 'changes', type: 'bytea', value: (version) => packChanges(tallyChanges(version, numberOf)) },
  ]
}

export function tallyColumns(place: RegisterBuild): Column<Piece>[] {
  return [
    ...placed<Piece>(place),
    { name: 'part_of', type: 'text', value: ({ part }) => part.partOf },
    { name: 'part', type: 'text', value: ({ part }) => part.part },
    { name: 'level', type: 'smallint', value: ({ level }) => level },
    { name: 'bucket', type: 'integer', value: ({ bucket }) => bucket },
    { name: 'epoch', type: 'integer', value: ({ epoch }) => epoch },
    { name: 'base', type: 'integer', value: ({ base }) => base },
    { name: 'whole_bytes', type: 'bigint', value: ({ wholeBytes }) => wholeBytes },
    { name: 'since_bytes', type: 'bigint', value: ({ sinceBytes }) => sinceBytes },
    { name: 'statuses', type: 'bytea', value: ({ statuses }) => statuses },
    { name: 'days', type: 'bytea', value: ({ days }) => days },
  ]
}
