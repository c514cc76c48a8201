// Which two sizes are compared: as the address says, or what the last checkpoint before the later one left open.

import { useEffect, useState } from 'preact/hooks'
import type { CheckpointAnswer, ListAnswer, RegisterAnswer } from '../../answers.ts'
import { askOnce, useResource } from '../../api.ts'
import { clocksOf } from '../../clocks.ts'
import { address, useLocation } from '../../location.ts'

/** The newest checkpoints up to a size, newest first: `wanted` of them, or all where there are no more. */
async function newestCheckpoints(register: string, upTo: number, wanted: number): Promise<CheckpointAnswer[]> {
  const base = `/v1/registers/${register}/checkpoints`
  // Checkpoints are listed upwards, so ever longer stretches below are read.
  for (let reach = 4 * wanted; ; reach *= 8) {
    const after = Math.max(0, upTo - reach)
    const found: CheckpointAnswer[] = []
    for (let from: number | null = after; from !== null; ) {
      const page: ListAnswer<CheckpointAnswer> = await askOnce(address(base, { after: from, limit: 1_000 }))
      found.push(...page.items.filter(({ size }) => size <= upTo))
      from = page.next === null || Number(page.next) >= upTo ? null : Number(page.next)
    }
    if (found.length >= wanted || after === 0) return found.slice(-wanted).reverse()
  }
}

/** The same while it is shown; undefined until it is there. What was there before stays while more is read. */
export function useCheckpoints(register: string, upTo: number | null, wanted: number): CheckpointAnswer[] | undefined {
  const [known, setKnown] = useState<{ register: string; items: CheckpointAnswer[] }>()
  useEffect(() => {
    if (upTo === null) return
    let isCurrent = true
    const read = () =>
      newestCheckpoints(register, upTo, wanted)
        .then((items) => isCurrent && setKnown({ register, items }))
        // Where the service is away, what was known stays; without anything, nothing was sealed as far as is known.
        .catch(() => isCurrent && setKnown((before) => before ?? { register, items: [] }))
    void read()
    return () => {
      isCurrent = false
    }
  }, [register, upTo, wanted])
  return known?.register === register ? known.items : undefined
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
  const below = useCheckpoints(register.id, named === null && toSize !== null ? Math.max(0, toSize - 1) : null, 1)
  const before = below && String(below[0]?.size ?? 0)
  return { asOf, from: named ?? before ?? null, to, isFromNamed: named !== null }
}
