// The views that are come to from a list or an overview: one file for the browser.

export { Changes } from './changes.tsx'
export { Commitment } from './commitment.tsx'
export { Commitments } from './commitments.tsx'
export { Conflicts } from './conflicts.tsx'
export { Event } from './event.tsx'
export { Figures } from './figures.tsx'
export { Log } from './log.tsx'
export { Operations } from './operations.tsx'
export { Sources } from './sources.tsx'
