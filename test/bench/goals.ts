// What each row is to reach, in one place. A row that is not named here is measured and told, and nothing is asked of it.
// Rows at scale carry their goals with them (scale-reader.ts).

export type Goal = { goal: number; atMost: boolean }

function atLeast(goal: number): Goal {
  return { goal, atMost: false }
}

function atMost(goal: number): Goal {
  return { goal, atMost: true }
}

const GOALS: Record<string, Goal> = {
  record: atLeast(1.5),
  'record-emmett': atLeast(5),
  import: atLeast(0.3),
  replay: atLeast(0.25),
  'replay-emmett': atLeast(15),
  'poll-304': atLeast(0.8),
  'summary-200': atLeast(0.9),
  feed: atLeast(0.6),
  'seal-record': atLeast(0.9),
  'seal-lag': atMost(1),
  'verify-log': atLeast(0.25),
  'growth-proof': atMost(1.5),
  'growth-record': atMost(1.25),
  'growth-replay': atMost(1.25),
  'page-longest-task': atMost(1),
  // Of what is allowed: the limit of these rows.
  'memory-serve': atMost(1),
  'memory-replay': atMost(1),
}

/** What is asked of a row; null where nothing is. */
export function goalOf(row: string): Goal | null {
  return GOALS[row] ?? null
}
