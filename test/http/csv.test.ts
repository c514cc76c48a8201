// CSV as it is written, without the service around it.

import t from 'tap'
import { z } from 'zod'
import { csvWriter } from '../../src/http/server/csv.ts'

const schema = z.object({
  text: z.string().nullable(),
  below: z.object({ count: z.number(), isThere: z.boolean() }).nullable(),
  words: z.array(z.string()),
  objects: z.array(z.object({ a: z.string() })).nullable(),
})
const { header, line } = csvWriter(schema)
const row = { text: 'a', below: { count: 1, isThere: true }, words: ['x', 'y'], objects: [{ a: '' }] }
const textCell = (text: string) => line({ ...row, text }).replace(/,1,true,x; y,1\r\n$/, '')

t.test('a line has a cell for each column: lists of words joined, other lists counted, null empty', async (t) => {
  t.equal(header, 'text,below.count,below.isThere,words,objects\r\n')
  t.equal(line(row), 'a,1,true,x; y,1\r\n')
  t.equal(line({ text: null, below: null, words: [], objects: null }), ',,,,\r\n')
})

t.test('a quote keeps text what a spreadsheet would run as a formula, whichever way it begins', async (t) => {
  for (const first of ['=', '+', '-', '@', '\t'])
    t.equal(textCell(`${first}1+1`), `'${first}1+1`, JSON.stringify(first))
  t.equal(textCell('\r=1+1'), `"'\r=1+1"`)
  for (const text of ['1=1', ' =1', "'=1", 'a\t', 'a+b-c@d'])
    t.equal(textCell(text), text, 'only the first character counts')
  t.equal(line({ ...row, below: { count: -1, isThere: false } }), 'a,-1,false,x; y,1\r\n', 'a number is no text')
})

t.test('what would break a cell is quoted, and only that', async (t) => {
  t.equal(textCell('a "b"'), '"a ""b"""')
  t.equal(textCell('a,b'), '"a,b"')
  t.equal(textCell('a\nb'), '"a\nb"')
  t.equal(textCell('a\rb'), '"a\rb"')
  t.equal(textCell('=A1,"b"'), `"'=A1,""b"""`)
  t.equal(textCell('a; b'), 'a; b')
})
