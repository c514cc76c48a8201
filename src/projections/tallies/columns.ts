// The columns of a row of `tallies`, from which it is copied.

import type { Columns } from '../core/columns.ts'
import type { Piece } from './rollup.ts'

export const TALLY_COLUMNS: Columns<'tallies', Piece> = {
  part_of: { type: 'text', value: ({ part }) => part.partOf },
  part: { type: 'text', value: ({ part }) => part.part },
  level: { type: 'smallint', value: ({ level }) => level },
  bucket: { type: 'integer', value: ({ bucket }) => bucket },
  epoch: { type: 'integer', value: ({ epoch }) => epoch },
  base: { type: 'integer', value: ({ base }) => base },
  whole_bytes: { type: 'bigint', value: ({ wholeBytes }) => wholeBytes },
  since_bytes: { type: 'bigint', value: ({ sinceBytes }) => sinceBytes },
  statuses: { type: 'bytea', value: ({ statuses }) => statuses },
  days: { type: 'bytea', value: ({ days }) => days },
}
