// The tables as Kysely sees them. int8 arrives as number (safe, checked), days as YYYY-MM-DD, instants as Date.

import type { Generated } from 'kysely'
import type { Citation } from '../domain/event.ts'

type RegisterTable = {
  register: string
  size: number
  last_recorded_at: Date | null
  own_revision: number
  redactions: Generated<number>
}

type EventTable = {
  register: string
  position: number
  id: string
  stream: string
  revision: number
  type: string
  type_version: number
  recorded_at: Date
  recorded_by: string
  occurred_on: string | null
  data: unknown
  citations: Citation[] | null
  salt: Buffer | null
  body_hash: Buffer
  leaf: Buffer
}

type ProjectionProgressTable = {
  register: string
  projection: string
  version: number
  size: number
  generation: number
  building: number | null
  time_zone: string | null
  stopped_at: number | null
  stopped_because: string | null
  moved_at: Date
}

type CommitmentTable = {
  register: string
  generation: number
  id: string
  revision: number
  last_position: number
  last_on: string
  title: string
  programme: string | null
  themes: string[]
  parties: string[]
  lifecycle: string
  verification: string
  made_on: string
  original_due_on: string | null
  current_due_on: string | null
  forecast_on: string | null
  finished_on: string | null
  rebaselines: number
  forecast_pushes: number
  states: unknown
  redacted: number[]
  search: string
}

type MembershipTable = {
  register: string
  number: number
  programme: string | null
  themes: string[]
  parties: string[]
  hash: Buffer
}

type MembershipCountTable = {
  register: string
  count: number
}

type PeriodTable = {
  register: string
  generation: number
  id: string
  known_from: number
  is_first: boolean
  days: number[]
  codes: number[]
  memberships: number[]
  begun_by: (number | null)[]
  numbers: (number | null)[]
  changes: Buffer
}

type TallyTable = {
  register: string
  generation: number
  part_of: string
  part: string
  level: number
  bucket: number
  epoch: number
  base: number
  whole_bytes: number
  since_bytes: number
  statuses: Buffer
  days: Buffer
}

type OperationTable = {
  id: string
  projections: string[]
  register: string | null
  generation: number
  max_rate: number | null
  drop_previous: boolean
  state: string
  failed_because: string | null
  failed_at: number | null
  owner: string | null
  beat_at: Date | null
  started_at: Date
  finished_at: Date | null
}

type ReplayTable = {
  register: string
  operation: string
  size: number
  sealed: number
  reached: number
  is_live: boolean
  previous: unknown
}

type ReplayPartTable = {
  register: string
  operation: string
  part: number
  up_to: string
  done: string
  events: number
  is_done: boolean
}

type IdempotencyKeyTable = {
  register: string
  recorded_by: string
  key: string
  fingerprint: Buffer
  outcomes: unknown
  kept_at: Date
}

type TreeTable = {
  register: string
  origin: string
  size: number
  signed_at: Date | null
  refused_because: string | null
}

type TileTable = {
  register: string
  level: number
  index: number
  hashes: Buffer
}

type SignedCheckpointTable = {
  register: string
  size: number
  root: Buffer
  note: string
  signed_at: Date
}

type SigningKeyTable = {
  register: string
  vkey: string
  from_size: number
  to_size: number | null
}

type TokenTable = {
  id: string
  hash: Buffer
  grants: unknown
  created_at: Date
  expires_at: Date | null
  revoked_at: Generated<Date | null>
  last_used_at: Generated<Date | null>
}

type PrincipalTable = {
  id: string
  name: string
}

type PublicRegisterTable = {
  register: string
  since: Date
}

export type Tables = {
  register: RegisterTable
  event: EventTable
  projection_progress: ProjectionProgressTable
  commitment: CommitmentTable
  membership: MembershipTable
  membership_count: MembershipCountTable
  operation: OperationTable
  period: PeriodTable
  replay: ReplayTable
  replay_part: ReplayPartTable
  signed_checkpoint: SignedCheckpointTable
  signing_key: SigningKeyTable
  principal: PrincipalTable
  public_register: PublicRegisterTable
  tally: TallyTable
  token: TokenTable
  idempotency_key: IdempotencyKeyTable
  tile: TileTable
  tree: TreeTable
}
