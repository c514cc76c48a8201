/** The figures of a summary, by the names that `figure=` and `FigureReported.figure` accept. */
export const FIGURE_NAMES = [
  'inScope',
  'delivered',
  'notDelivered',
  'late',
  'lateAgainstOriginal',
  'due',
  'missed',
  'baselineExecutionIndex',
  'verified',
  'disputed',
  'slippageDays.original',
  'slippageDays.current',
  'earnedSchedule',
  'coverage',
] as const

export type FigureName = (typeof FIGURE_NAMES)[number]
