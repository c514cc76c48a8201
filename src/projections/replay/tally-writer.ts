// Rolling up the tallies of a build epoch after epoch, as in ordinary steps. But it remembers the newest piece at each
// place instead of looking it up, and writes pieces by COPY.

import type { SingleConnection } from '../../database/pool.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { piecesOf, sumsOfEpoch } from '../tallies/projection.ts'
import type { PieceHead } from '../tallies/rollup.ts'
import { EPOCH } from '../tallies/rollup.ts'
import { readAllHeads, TALLY_COLUMNS } from '../tallies/table.ts'
import { CopyRows, copyColumns } from './copy.ts'

function nameOf({ part, level, bucket }: { part: { partOf: string; part: string }; level: number; bucket: number }) {
  return `${bucket} ${level} ${part.partOf} ${part.part}`
}

export class TallyWriter {
  readonly #connection: SingleConnection
  readonly #build: RegisterBuild
  readonly #rows
  #heads: Map<string, PieceHead> | null = null

  constructor(connection: SingleConnection, build: RegisterBuild) {
    this.#connection = connection
    this.#build = build
    this.#rows = new CopyRows(copyColumns(build, TALLY_COLUMNS))
  }

  /**
   * Rolls up the epoch that ends at a size from the rows of `followed`, in one transaction with what `moved` writes about how
   * far that is.
   */
  async addEpoch(
    size: number,
    followed: { generation: number; table: string },
    moved: (tx: SingleConnection['db']) => Promise<void>,
  ): Promise<void> {
    const { client, db } = this.#connection
    const { register, generation } = this.#build
    this.#heads ??= new Map((await readAllHeads(db, this.#build)).map((head) => [nameOf(head), head]))
    const heads = this.#heads
    const sums = await sumsOfEpoch(db, { register, ...followed }, size, EPOCH)
    const newest = sums.map((place) => heads.get(nameOf(place)) ?? null)
    const pieces = await piecesOf(db, this.#build, size / EPOCH - 1, sums, newest)
    for (const piece of pieces) this.#rows.add(piece)
    await db.transaction().execute(async (tx) => {
      await client.query('set local synchronous_commit = off')
      await moved(tx)
      await this.#rows.flush(client, `tally_g${generation}`)
    })
    for (const { base, wholeBytes, sinceBytes, ...place } of pieces) {
      heads.set(nameOf(place), { base, wholeBytes, sinceBytes })
    }
  }
}
