// Measuring: a value and its limit by turns, and HTTP load of a fixed number of requests.

import autocannon from 'autocannon'

/** One line of the table. `value` and `limit` each do a bounded amount of work and return how much they did in a second. */
export type Row = {
  row: string
  unit: string
  value: () => Promise<number>
  limit: () => Promise<number>
}

export type Measured = {
  row: string
  unit: string
  value: number
  limit: number
  /** value / limit */
  ratio: number
  /** What the ratio is to reach; null where nothing is asked of it. */
  goal: number | null
  /** Whether a smaller ratio is better. */
  atMost: boolean
}

/** The value and the limit by turns, so that whatever else the machine does meets both; the median of each. */
export async function measure({ row, unit, value, limit }: Row, rounds: number, tell: Tell): Promise<Measured> {
  // The first of each warms code, connections and caches up, and counts for nothing.
  await value()
  await limit()
  const values: number[] = []
  const limits: number[] = []
  for (let round = 1; round <= rounds; round += 1) {
    values.push(await value())
    limits.push(await limit())
    tell(
      `${row} ${round}/${rounds}: ${Math.round(values.at(-1) ?? 0)} beside ${Math.round(limits.at(-1) ?? 0)} ${unit}`,
    )
  }
  const ratio = median(values) / median(limits)
  return { row, unit, value: median(values), limit: median(limits), ratio, goal: null, atMost: false }
}

export type Tell = (line: string) => void

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]]
  return (low + high) / 2
}

/** The value that a share of the numbers does not exceed, by the nearest rank. */
export function percentile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil(share * numbers.length) - 1] ?? Number.NaN
}

/** Does the work and returns how many of `count` it did in a second. */
export async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - from)
}

export type Load = {
  address: string
  connections: number
  /** How many requests in all. */
  amount: number
  /** The requests that each connection sends in turn, over and over; each begins at another. */
  requests: readonly autocannon.Request[]
  headers?: Record<string, string>
}

/** Sends the load and returns the answers in a second; throws where an answer is not 2xx. */
export async function fire({ address, connections, amount, requests, headers = {} }: Load): Promise<number> {
  let next = 0
  const step = Math.ceil(requests.length / connections)
  const setupClient = (client: autocannon.Client) => {
    const first = (next++ * step) % requests.length
    client.setRequests([...requests.slice(first), ...requests.slice(0, first)])
  }
  // It looks at most every sampleInt milliseconds whether it is done; a second by default.
  const load = { url: address, connections, amount, headers, setupClient, sampleInt: 10 }
  let failed = 0
  const rate = await perSecond(amount, async () => {
    const result = await autocannon(load)
    failed = result.errors + result.non2xx
  })
  if (failed > 0) throw new Error(`${failed} of ${amount} requests to ${address} failed`)
  return rate
}
