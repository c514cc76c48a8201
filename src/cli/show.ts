// `pledger show`: one commitment at two clocks, with its dates, what is claimed of it, and where that stands.

import type { Command } from 'commander'
import type { CitationAnswer } from '../domain/answers.ts'
import type { CommitmentAnswer } from '../domain/commitment/answer.ts'
import { commitment } from '../questions/commitment.ts'
import { type SourceAnswer, sources } from '../questions/definitions.ts'
import { ask } from '../questions/question.ts'
import { type AskOptions, asking, clocksLine, numberText, withClocks, words, writeJson, writeLines } from './asking.ts'
import { heading, type Paper, paper, plain, table } from './table.ts'

type DateText = { value: string } | null

const day = (date: DateText) => date?.value ?? '–'
const event = (position: number) => `event ${position}`

/** The lines of a part below its heading; none where the part is empty. */
function part(title: string, lines: readonly string[], on: Paper): string[] {
  return lines.length === 0 ? [] : ['', heading(title, on), ...lines.map((line) => `  ${line}`)]
}

function pairs(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${plain(text)}`)
}

function statusLines(answer: CommitmentAnswer): string[] {
  const { lifecycle, schedule, verification, programme, themes, parties, supersededBy } = answer
  const uncertain = schedule.uncertain ? ' (imprecise dates leave it open)' : ''
  const lists: [string, string[]][] = [
    ['parties', parties],
    ['themes', themes],
    ['superseded by', supersededBy],
  ]
  return pairs([
    ['lifecycle', words(lifecycle)],
    ['schedule', `${words(schedule.current)}, by its original dates ${words(schedule.original)}${uncertain}`],
    ['verification', words(verification)],
    ...(programme === null ? [] : ([['programme', programme]] as [string, string][])),
    ...lists.filter(([, ids]) => ids.length > 0).map(([name, ids]): [string, string] => [name, ids.join(', ')]),
  ])
}

function dateLines({ dates, slippageDays, baselineShiftDays }: CommitmentAnswer): string[] {
  const days = (value: number | null, against: string) =>
    value === null ? '' : `, ${numberText(value)} days ${against}`
  const late = (value: number | null) => (value !== null && value < 0 ? days(-value, 'early') : days(value, 'late'))
  return pairs([
    ['made', day(dates.madeOn)],
    ['original due', `${day(dates.originalDue)}${late(slippageDays.original)}`],
    [
      'current due',
      `${day(dates.currentDue)}${late(slippageDays.current)}${days(baselineShiftDays, 'after the original')}`,
    ],
    ['forecast finish', day(dates.forecastFinish)],
    ['actual finish', day(dates.actualFinish)],
  ])
}

function baselineLines({ baselines }: CommitmentAnswer, on: Paper): string[] {
  if (baselines.length < 2) return []
  const columns = [{ head: '', isNumber: true }, { head: 'due' }, { head: 'set' }, { head: 'by' }, { head: 'reason' }]
  const rows = baselines.map(({ number, due, occurredOn, event: position, reason, approvedBy }) => [
    String(number),
    due.value,
    occurredOn.value,
    event(position),
    [reason, approvedBy && `approved by ${approvedBy}`].filter(Boolean).join(', '),
  ])
  return table(columns, rows, on)
}

function milestoneLines({ milestones }: CommitmentAnswer, on: Paper): string[] {
  if (milestones.length === 0) return []
  const columns = [{ head: 'due' }, { head: 'met' }, { head: 'days late', isNumber: true }, { head: 'milestone' }]
  const rows = milestones.map(({ milestone, title, due, metOn, slippageDays }) => [
    day(due),
    day(metOn),
    numberText(slippageDays),
    title === null ? milestone : `${milestone}  ${title}`,
  ])
  return table(columns, rows, on)
}

/** What is said of the commitment, besides its dates. */
function claimLines({ progress, reportedStatus, assessments }: CommitmentAnswer): string[] {
  const claims: { said: string; note: string | null; by: { occurredOn: { value: string }; event: number } }[] = []
  if (progress) {
    const { value, percent, note } = progress
    const said = [value !== null && numberText(value), percent !== null && `${numberText(percent)} %`].filter(Boolean)
    claims.push({ said: `progress ${said.join(', ')}`, note, by: progress })
  }
  if (reportedStatus) {
    const { status, means, note } = reportedStatus
    claims.push({
      said: `reported as ${status}${means ? `, which means ${words(means)}` : ''}`,
      note,
      by: reportedStatus,
    })
  }
  for (const { assessor, scale, scaleVersion, rating, note, ...by } of assessments)
    claims.push({ said: `assessed by ${assessor} as ${rating} (${scale} ${scaleVersion})`, note, by })
  return claims.map(({ said, note, by }) => {
    const why = note === null ? '' : `: ${note}`
    return plain(`${by.occurredOn.value}  ${said}${why} (${event(by.event)})`)
  })
}

function citationLine({ event: position, locator, quote, claimedBy, claimedOn, differs }: CitationAnswer): string {
  const said = [
    locator,
    quote === null ? null : `“${quote}”`,
    claimedBy === null ? null : `says ${claimedBy}${claimedOn === null ? '' : `, ${claimedOn.value}`}`,
    differs === null ? null : `says otherwise: ${JSON.stringify(differs)}`,
  ].filter((one) => one !== null)
  return plain(`  ${event(position)}${said.length === 0 ? '' : `: ${said.join('; ')}`}`)
}

/** Each source once, with what is cited from it. */
function sourceLines({ citations }: CommitmentAnswer, defined: readonly SourceAnswer[]): string[] {
  return [...Map.groupBy(citations, ({ source }) => source)].flatMap(([id, cited]) => {
    const known = defined.find((source) => source.id === id)
    const named = [id, known?.title, known?.publisher, known?.url].filter((one) => one !== null && one !== undefined)
    return [plain(named.join(', ')), ...cited.map(citationLine)]
  })
}

function describe(register: string, answer: CommitmentAnswer, defined: readonly SourceAnswer[], on: Paper): string[] {
  const { id, title, description, conflicts, redacted } = answer
  return [
    heading(plain(title), on),
    `${id} of ${clocksLine(register, answer)}`,
    ...(description === null ? [] : ['', plain(description)]),
    ...part('status', statusLines(answer), on),
    ...part('dates', dateLines(answer), on),
    ...part('baselines', baselineLines(answer, on), on),
    ...part('milestones', milestoneLines(answer, on), on),
    ...part('claims', claimLines(answer), on),
    ...part(
      'conflicts',
      conflicts.map(({ detail, events }) => plain(`${detail} (events ${events.join(', ')})`)),
      on,
    ),
    ...part('sources', sourceLines(answer, defined), on),
    ...part(
      'redacted',
      redacted.map((position) => event(position)),
      on,
    ),
  ]
}

function run(id: string, options: AskOptions): Promise<void> {
  const { register } = options
  return asking(options, async (context) => {
    const answer = await ask(context, register, commitment, { ...options, id })
    if (options.json) {
      await writeJson(answer)
      return answer
    }
    const { asOf, knownAt } = answer
    const defined = await ask(context, register, sources, { asOf, knownAt: String(knownAt.size) })
    await writeLines(describe(register, answer, defined.items, paper()))
    return answer
  })
}

export function showCommand(program: Command): void {
  withClocks(program.command('show').description('show one commitment: its dates, what is claimed, and the sources'))
    .argument('<commitment>', 'its id')
    .action(run)
}
