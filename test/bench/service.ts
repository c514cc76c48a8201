// What the rows ask of the service besides what they measure.

import { type SyntheticOptions, syntheticEvents } from '../../src/samples/synthetic.ts'

/** The events of a synthetic register as the NDJSON of an import, and how many there are. */
export function syntheticNdjson(options: SyntheticOptions): { body: Buffer; count: number } {
  const lines = [...syntheticEvents(options)].map((event) => JSON.stringify(event))
  return { body: Buffer.from(`${lines.join('\n')}\n`), count: lines.length }
}

/** Imports all of a body into a register that is not there yet; throws where a line was refused. */
export async function importAll(service: string, register: string, { body, count }: { body: Buffer; count: number }) {
  const response = await fetch(`${service}/v1/registers/${register}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    // Safe: a Buffer is a Uint8Array of an ArrayBuffer; only its type is wider.
    body: body as Uint8Array<ArrayBuffer>,
  })
  const text = await response.text()
  const answer = response.ok ? (JSON.parse(text) as { recorded: number; alreadyRecorded: number }) : null
  if ((answer?.recorded ?? 0) + (answer?.alreadyRecorded ?? 0) !== count)
    throw new Error(`the import into ${register} went wrong: ${text.slice(0, 500)}`)
}

/** Waits until the projections have read all of the register's log, so that nothing lingers into the next measurement. */
export async function settle(service: string, register: string): Promise<void> {
  const { size } = (await (await fetch(`${service}/v1/registers/${register}`)).json()) as { size: number }
  for (let tries = 0; tries < 120; tries += 1) {
    // Waits up to five seconds by itself.
    const response = await fetch(`${service}/v1/registers/${register}/summary?minSize=${size}`)
    await response.arrayBuffer()
    if (response.ok) return
  }
  throw new Error(`the projections of ${register} do not catch up`)
}
