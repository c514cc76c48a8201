import { failures } from '../../strings.ts'
import type { Deed } from './deed.ts'

/** Why a deed did not work, in the service's words. */
export function DeedFailure({ of: { failure } }: { of: Deed }) {
  return (
    <div role="alert">
      {failure && (
        <p class="deed-failure">
          <strong>{failure.kind === 'away' ? failures.away : failure.title}</strong>{' '}
          {failure.kind === 'problem' && failure.detail}
        </p>
      )}
    </div>
  )
}
