// `pledger summary`: the figures of a register at two clocks, as the REST API gives them or as tables.

import type { Command } from 'commander'
import { slug } from '../domain/fields.ts'
import { DIMENSIONS, type Dimension } from '../questions/list-link.ts'
import { ask } from '../questions/question.ts'
import { type SummaryAnswer, summary } from '../questions/summary.ts'
import {
  type AskOptions,
  asking,
  clocksLine,
  collect,
  numberText,
  redactedLines,
  withClocks,
  words,
  writeJson,
  writeLines,
} from './asking.ts'
import { CommandError, counted } from './program.ts'
import { heading, type Paper, paper, plain, type TableColumn, table } from './table.ts'

type Options = AskOptions & { programme?: string[]; groupBy?: string[] }
type Figures = Omit<SummaryAnswer, 'groups' | 'register'> | SummaryAnswer['groups'][number]

const number = (head: string): TableColumn => ({ head, isNumber: true })

const percent = (value: number | null) => (value === null ? '–' : `${numberText(value, 1)} %`)

/** What a figure comes to, besides its count: a percentage, or an index. */
function shareOf(figure: object): string {
  if ('percent' in figure) return percent(figure.percent as number | null)
  if ('value' in figure) return numberText(figure.value as number | null, 3)
  return 'spi' in figure ? `SPI ${numberText(figure.spi as number | null, 3)}` : ''
}

/** A row for each figure that counts commitments; a figure that the domain gains has its row here without a change. */
function figureRows(figures: Figures): string[][] {
  return Object.entries(figures).flatMap(([name, figure]) => {
    if (figure === null || typeof figure !== 'object' || !('count' in figure)) return []
    return [[words(name), counted(figure.count), counted(figure.of), shareOf(figure)]]
  })
}

function slippageRows({ slippageDays }: Figures): string[][] {
  return Object.entries(slippageDays).map(([against, { of, mean, median, p90, max }]) => [
    `against ${against}`,
    counted(of),
    ...[mean, median, p90, max].map((days) => numberText(days)),
  ])
}

function earnedLine({ earnedSchedule }: Figures): string {
  const { earnedDays, actualDays, varianceDays, estimateAtCompletionDays, forecastFinish } = earnedSchedule
  if (earnedDays === null) return 'earned schedule: nothing was due yet'
  return (
    `earned schedule: ${numberText(earnedDays)} of ${numberText(actualDays)} days, variance ${numberText(varianceDays)}; ` +
    `${numberText(estimateAtCompletionDays)} days at completion, finish ${forecastFinish ?? '–'}`
  )
}

function excludedLine({ excluded }: Figures): string {
  const named = Object.entries(excluded).map(([why, count]) => `${counted(count)} ${words(why)}`)
  return `not counted: ${named.join(', ')}`
}

const GROUP_COLUMNS = [
  number('in scope'),
  number('delivered'),
  number('%'),
  number('late'),
  number('missed'),
  number('median days'),
]

function groupLines(by: Dimension, groups: SummaryAnswer['groups'], on: Paper): string[] {
  const rows = groups
    .filter((group) => group.by === by)
    .map(({ key, title, inScope, delivered, late, missed, slippageDays }) => [
      ...[inScope, delivered.count].map(counted),
      percent(delivered.percent),
      ...[late.count, missed.count].map(counted),
      numberText(slippageDays.current.median),
      key === null ? `no ${by}` : `${key}${title === null || title === key ? '' : `  ${title}`}`,
    ])
  return ['', ...table([...GROUP_COLUMNS, { head: by }], rows, on)]
}

function describe(register: string, answer: SummaryAnswer, dimensions: readonly Dimension[], on: Paper): string[] {
  const columns = [{ head: 'figure' }, number('count'), number('of'), number('share')]
  const slippage = [{ head: 'slippage' }, ...['of', 'mean', 'median', 'p90', 'max'].map(number)]
  return [
    heading(clocksLine(register, answer), on),
    `${counted(answer.inScope)} commitments in scope`,
    '',
    ...table(columns, figureRows(answer), on),
    '',
    ...table(slippage, slippageRows(answer), on),
    '',
    earnedLine(answer),
    excludedLine(answer),
    ...dimensions.flatMap((by) => groupLines(by, answer.groups, on)),
    ...redactedLines(answer),
  ]
}

function dimensionsOf(names: readonly string[]): Dimension[] {
  return names.map((name) => {
    const found = DIMENSIONS.find((dimension) => dimension === name)
    if (found) return found
    throw new CommandError(`--group-by: expected ${DIMENSIONS.join(', ')}, not ${plain(name)}`, 2)
  })
}

function programmesOf(ids: readonly string[]): string[] {
  return ids.map((id) => {
    if (id === '' || slug.safeParse(id).success) return id
    throw new CommandError(`--programme: ${plain(id)} cannot be the id of a programme`, 2)
  })
}

function run({ programme = [], groupBy = [], ...options }: Options): Promise<void> {
  const dimensions = dimensionsOf(groupBy)
  const query = { ...options, programme: programmesOf(programme), groupBy: dimensions }
  return asking(options, async (context) => {
    const answer = await ask(context, options.register, summary, query)
    if (options.json) await writeJson(answer)
    else await writeLines(describe(options.register, answer, [...new Set(dimensions)], paper()))
    return answer
  })
}

export function summaryCommand(program: Command): void {
  withClocks(program.command('summary').description('show the figures of a register'))
    .option('--programme <id>', 'only of this programme; an empty value: of none; may be repeated', collect)
    .option('--group-by <dimension>', `${DIMENSIONS.join(', ')}: also the figures of each; may be repeated`, collect)
    .action(run)
}
