import t from 'tap'
import { plain, table } from '../../src/cli/table.ts'

const COLUMNS = [{ head: 'id' }, { head: 'days', isNumber: true }, { head: 'title' }]
const ROWS = [
  ['bridge', '7', 'A bridge over the river'],
  ['b', '1,300', ''],
]

t.test('columns stand below each other, numbers to the right, and no line ends in spaces', async (t) => {
  t.strictSame(table(COLUMNS, ROWS, { width: Number.POSITIVE_INFINITY, isStyled: false }), [
    'id       days  title',
    'bridge      7  A bridge over the river',
    'b       1,300',
  ])
})

t.test('a line that is wider than the terminal is cut', async (t) => {
  const [, bridge] = table(COLUMNS, ROWS, { width: 20, isStyled: false })
  t.strictSame([bridge, bridge?.length], ['bridge      7  A br…', 20])
})

t.test('what a title holds moves no cursor, breaks no line and changes no colour', async (t) => {
  t.equal(plain('a\u001b[31mred\u0007\r\nline\u202etxt\u2028end'), 'a [31mred line txt end')
  const [, row] = table([{ head: 'title' }], [['one\ntwo']], { width: Number.POSITIVE_INFINITY, isStyled: false })
  t.equal(row, 'one two')
})
