// The databases of releases, as test/support/dump-release.ts wrote them, put back as they were.

import { createPrivateKey } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'

export const RELEASES = join(import.meta.dirname, '../releases')

/** Before the digests of its projections, in the file of a release. */
export const DIGESTS = '-- digests '

/** A file with the key under which releases are sealed: no secret, since everybody can make it. */
export async function releaseKeys(file: string): Promise<string> {
  const ed25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
  const key = createPrivateKey({ key: Buffer.concat([ed25519, Buffer.alloc(32, 7)]), format: 'der', type: 'pkcs8' })
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }))
  return file
}

export async function releases(): Promise<string[]> {
  return (await readdir(RELEASES)).filter((file) => file.endsWith('.sql')).sort()
}

export type ReleasedDigest = { register: string; projection: string; version: number; sha256: string }

/** Fills an empty database with that of a release; returns the digests of its projections. */
export async function loadRelease(file: string, connectionString: string): Promise<ReleasedDigest[]> {
  const text = await readFile(join(RELEASES, file), 'utf8')
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
  const line = text.split('\n').find((one) => one.startsWith(DIGESTS))
  return JSON.parse(line?.slice(DIGESTS.length) ?? '')
}
