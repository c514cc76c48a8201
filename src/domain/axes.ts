// The three axes of a commitment's status, in the words of answers and of what is stored. The order of each list is part of
// what is stored (commitment/status-code.ts).

export const LIFECYCLES = [
  'open',
  'suspended',
  'delivered',
  'partiallyDelivered',
  'notDelivered',
  'withdrawn',
  'superseded',
] as const
export type Lifecycle = (typeof LIFECYCLES)[number]

export const SCHEDULES = [
  'closed',
  'noDueDate',
  'deliveredOnTime',
  'deliveredLate',
  'late',
  'forecastLate',
  'onSchedule',
] as const
export type Schedule = (typeof SCHEDULES)[number]

export const VERIFICATIONS = ['none', 'claimed', 'verified', 'disputed'] as const
export type Verification = (typeof VERIFICATIONS)[number]
