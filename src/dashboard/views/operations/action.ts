// Something that is done at the service: once at a time, and what it said where it did not work.

import { useState } from 'preact/hooks'
import { type Failure, isFailure, refreshAll } from '../../api.ts'

export type Action = { isBusy: boolean; failure: Failure | null; run: (work: () => Promise<void>) => void }

export function useAction(): Action {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const run = async (work: () => Promise<void>) => {
    setBusy(true)
    setFailure(null)
    try {
      await work()
    } catch (error) {
      setFailure(isFailure(error) ? error : { kind: 'away' })
    }
    setBusy(false)
    refreshAll()
  }
  return { isBusy, failure, run: (work) => void (isBusy || run(work)) }
}
