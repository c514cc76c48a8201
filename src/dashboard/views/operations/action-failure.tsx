import { failures } from '../../strings.ts'
import type { Action } from './action.ts'

/** Why a action did not work, in the service's words. */
export function ActionFailure({ of: { failure } }: { of: Action }) {
  return (
    <div role="alert">
      {failure && (
        <p class="action-failure">
          <strong>{failure.kind === 'away' ? failures.away : failure.title}</strong>{' '}
          {failure.kind === 'problem' && failure.detail}
        </p>
      )}
    </div>
  )
}
