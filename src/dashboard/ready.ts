// How the service says it is: the same answer where it is ready and where it is not, which comes as a problem.

import type { ReadyAnswer } from './answers.ts'
import { type Failure, useResource } from './api.ts'

export type Readiness = {
  /** What it stands on, also where that does not do. */
  ready: Pick<ReadyAnswer, 'projections' | 'sealing' | 'unsafeDatabase'> | undefined
  status: ReadyAnswer['status'] | 'notReady' | undefined
  detail: string | null
  failure: Failure | null
}

export function useReady(): Readiness {
  const { data, failure } = useResource<ReadyAnswer>('/readyz')
  const isNotReady = failure?.kind === 'problem' && failure.word === 'projection-behind'
  // Safe: a problem of /readyz has the members of its answer.
  const told = isNotReady ? (failure.members as unknown as ReadyAnswer) : undefined
  if (isNotReady) return { ready: told, status: 'notReady', detail: failure.detail, failure }
  return { ready: data, status: data?.status, detail: data?.detail ?? null, failure }
}
