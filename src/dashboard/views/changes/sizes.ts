// Which two sizes are compared: as the address says, or what the last checkpoint before the later one left open.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { CheckpointAnswer, ListAnswer, RegisterAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { newestCheckpoints } from '../../checkpoints.ts'
import { clocksOf } from '../../clocks.ts'
import { address, useLocation } from '../../location.ts'

type Known = { register: string; upTo: number; items: CheckpointAnswer[] }

/** The newest checkpoints up to a size, newest first; while they are read, those of the question before; null asks nothing. */
export function useCheckpoints(register: string, upTo: number | null, wanted: number): Known | undefined {
  const [known, setKnown] = useState<Known>()
  useEffect(() => {
    if (upTo === null) return
    let isCurrent = true
    newestCheckpoints(register, upTo, wanted)
      .then((items) => isCurrent && setKnown({ register, upTo, items }))
      // Where the service is away, what was known stays; without anything, nothing was sealed as far as is known.
      .catch(() => isCurrent && setKnown((before) => before ?? { register, upTo, items: [] }))
    return () => {
      isCurrent = false
    }
  }, [register, upTo, wanted])
  return known?.register === register ? known : undefined
}

/** The size that a day or an instant stands for; null until the service has said it. */
function useSize(register: RegisterAnswer, text: string | null): number | null {
  const isSize = text === null || /^\d+$/.test(text)
  const { data } = useResource<ListAnswer<unknown>>(
    isSize ? null : address(`/v1/registers/${register.id}/commitments`, { limit: 1, knownAt: text }),
  )
  if (isSize) return text === null ? register.size : Number(text)
  return data?.knownAt.size ?? null
}

export type Asked = {
  asOf: string | null
  /** null until it is known which checkpoint was the last before. */
  from: string | null
  to: string | null
  /** The address itself names the earlier size. */
  isFromNamed: boolean
}

/** What is asked for. Without `to` the second clock is meant, without `from` the last checkpoint before that. */
export function useAsked(register: RegisterAnswer): Asked {
  const { params } = useLocation()
  const { asOf, knownAt } = clocksOf(params)
  const to = params.get('to') || knownAt
  const named = params.get('from') || null
  const toSize = useSize(register, to)
  const below = named !== null || toSize === null ? null : Math.max(0, toSize - 1)
  const known = useCheckpoints(register.id, below, 1)
  const before = below !== null && known?.upTo === below ? String(known.items[0]?.size ?? 0) : null
  const asked = { asOf, from: named ?? before, to, isFromNamed: named !== null }
  // Until it is known what was before, the comparison shown stays.
  const last = useRef(asked)
  if (asked.from !== null) last.current = asked
  return last.current
}
