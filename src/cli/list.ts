// `pledger list`: the commitments of a register at two clocks, all that the filters leave.

import type { Command } from 'commander'
import { issuesOf } from '../domain/admission/posted-event.ts'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../domain/axes.ts'
import type { CommitmentAnswer } from '../domain/commitment/answer.ts'
import { FIGURE_NAMES } from '../domain/figures.ts'
import { resolveClocks } from '../questions/clocks.ts'
import { frameOf } from '../questions/frame.ts'
import { list, redactedOfList, restOfList } from '../questions/list.ts'
import { type ListQuery, listFilters, listQuery } from '../questions/list-query.ts'
import { askedRegister, type QuestionContext } from '../questions/register.ts'
import {
  type AskOptions,
  asking,
  clocksLine,
  collect,
  numberText,
  optionOf,
  redactedLines,
  withClocks,
  words,
  writeLines,
} from './asking.ts'
import { CommandError, counted, writeOut } from './program.ts'
import { heading, paper, type TableColumn, table } from './table.ts'

type Options = AskOptions & Record<string, unknown>

const COLUMNS: TableColumn[] = [
  { head: 'id' },
  { head: 'lifecycle' },
  { head: 'schedule' },
  { head: 'verification' },
  { head: 'due' },
  { head: 'forecast' },
  { head: 'finished' },
  { head: 'days late', isNumber: true },
  { head: 'title' },
]

function rowOf({ id, title, lifecycle, schedule, verification, dates, slippageDays }: CommitmentAnswer): string[] {
  const day = (date: { value: string } | null) => date?.value ?? '–'
  return [
    id,
    words(lifecycle),
    `${words(schedule.current)}${schedule.uncertain ? ' ?' : ''}`,
    words(verification),
    ...[dates.currentDue, dates.forecastFinish, dates.actualFinish].map(day),
    numberText(slippageDays.current),
    title,
  ]
}

/** The filters and the order that the options ask for, read by the schema of the REST parameters; wrong usage where it refuses them. */
function queryOf(options: Options): ListQuery {
  const names = [...Object.keys(listFilters), 'sort']
  const given = Object.fromEntries(names.flatMap((name) => (name in options ? [[name, options[name]]] : [])))
  const parsed = listQuery.safeParse({ ...given, ...('denominator' in given && { denominator: 'true' }) })
  if (parsed.success) return parsed.data
  const [issue] = issuesOf(parsed.error)
  throw new CommandError(`${optionOf(issue?.pointer.split('/')[1] ?? '')}: ${issue?.detail}`, 2)
}

type Pages = AsyncIterable<CommitmentAnswer[]>

/** Writes the list as the REST API gives it, a commitment a line, as it is read. */
async function writeAsJson(pages: Pages, rest: object): Promise<void> {
  await writeOut('{"items":[')
  let separator = '\n'
  for await (const page of pages) {
    for (const one of page) {
      await writeOut(`${separator}${JSON.stringify(one)}`)
      separator = ',\n'
    }
  }
  await writeOut(`\n],${JSON.stringify(rest).slice(1)}\n`)
}

async function rowsOf(pages: Pages): Promise<string[][]> {
  const rows: string[][] = []
  for await (const page of pages) rows.push(...page.map(rowOf))
  return rows
}

async function writeList(context: QuestionContext, { register, json, ...options }: AskOptions, query: ListQuery) {
  const clocks = await resolveClocks(context, await askedRegister(context, register), list.source, options)
  const frame = frameOf(clocks)
  const redacted = await redactedOfList(context, clocks, query)
  const pages = await restOfList(context, clocks, query, null)
  if (json) {
    await writeAsJson(pages, { next: null, ...frame, ...redacted })
    return frame
  }
  const on = paper()
  const rows = await rowsOf(pages)
  const count = `${counted(rows.length)} ${rows.length === 1 ? 'commitment' : 'commitments'}`
  const lines = rows.length === 0 ? [] : ['', ...table(COLUMNS, rows, on)]
  await writeLines([heading(clocksLine(register, frame), on), count, ...lines, ...redactedLines(redacted)])
  return frame
}

const oneOf = (values: readonly string[]) => `one of ${values.join(', ')}`

export function listCommand(program: Command): void {
  withClocks(program.command('list').description('list the commitments of a register'))
    .option('--lifecycle <word>', `only these; ${oneOf(LIFECYCLES)}; may be repeated, as each filter`, collect)
    .option('--schedule <word>', `only these, by the current due date; ${oneOf(SCHEDULES)}`, collect)
    .option('--schedule-original <word>', 'the same by the original due date', collect)
    .option('--verification <word>', `only these; ${oneOf(VERIFICATIONS)}`, collect)
    .option('--programme <id>', 'only of this programme; an empty value: of none', collect)
    .option('--theme <text>', 'only with this theme; an empty value: with none', collect)
    .option('--party <id>', 'only of this party; an empty value: of none', collect)
    .option('--q <words>', 'only with these words, or their beginnings, in id, title, description and themes')
    .option('--figure <name>', `only those that the summary counts; ${oneOf(FIGURE_NAMES)}`)
    .option('--denominator', 'with --figure: those that it is counted out of')
    .option('--sort <keys>', `the order, keys with commas between, - before a key for descending; id`, collect)
    .action((options: Options) => {
      const query = queryOf(options)
      return asking(options, (context) => writeList(context, options, query))
    })
}
