import fc from 'fast-check'
import t from 'tap'
import { type Line, splitLines } from '../../src/kernel/lines.ts'

async function split(chunks: readonly Uint8Array[], maxBytes: number): Promise<Line[]> {
  async function* stream() {
    yield* chunks
  }
  return (await Array.fromAsync(splitLines(stream(), maxBytes))).flat()
}

const told = (lines: readonly Line[]) =>
  lines.map(({ bytes, length, isEnded }) => [bytes && Buffer.from(bytes).toString(), length, isEnded])

t.test('a line of the limit is kept, a longer one is counted and passed over, the last may lack its end', async (t) => {
  const lines = await split([Buffer.from('1234\n12345\n\nab')], 4)
  t.strictSame(told(lines), [
    ['1234', 5, true],
    [null, 6, true],
    ['', 1, true],
    ['ab', 2, false],
  ])
  t.strictSame(told(await split([Buffer.from('12'), Buffer.from('345')], 4)), [[null, 5, false]])
  t.strictSame(await split([Buffer.from('')], 4), [])
  t.strictSame(await split([], 4), [])
})

t.test('it does not matter where the chunks of a stream end', async (t) => {
  const pieces = fc.array(fc.constantFrom('\n', 'a', 'bc', 'ф', '\r\n', 'long enough'), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 7 }), async (texts, step) => {
      const bytes = Buffer.from(texts.join(''))
      const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
        bytes.subarray(index * step, (index + 1) * step),
      )
      t.strictSame(told(await split(chunks, 6)), told(await split([bytes], 6)))
    }),
    { numRuns: 100 },
  )
})
