// Where a commitment stands: the three axes, the dates, the numbers, what was said of it.

import type { CommitmentAnswer, DateAnswer, RegisterAnswer } from '../../answers.ts'
import { formatNumber, formatSigned } from '../../format.ts'
import { Imprecise } from '../../parts/dates.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { Badge, Lifecycle, Schedule, Verification } from '../../parts/status.tsx'
import { commitmentPath, eventPath, pathOf } from '../../route.ts'
import { citations, MEANS_WORDS, shell, commitment as words } from '../../strings.ts'

export function Axes({ of }: { of: CommitmentAnswer }) {
  const { lifecycle, schedule, verification } = of
  return (
    <>
      <dl class="axes">
        <div>
          <dt>{words.axes.lifecycle}</dt>
          <dd>
            <Lifecycle of={lifecycle} />
          </dd>
        </div>
        <div>
          <dt>{words.axes.original}</dt>
          <dd>
            <Schedule of={schedule.original} isUncertain={schedule.uncertain} />
          </dd>
        </div>
        <div>
          <dt>{words.axes.current}</dt>
          <dd>
            <Schedule of={schedule.current} isUncertain={schedule.uncertain} />
          </dd>
        </div>
        <div>
          <dt>{words.verification}</dt>
          <dd>
            <Verification of={verification} />
          </dd>
        </div>
      </dl>
      {schedule.uncertain && <p class="note uncertain">{words.uncertain}</p>}
    </>
  )
}

function DateLine({ word, date }: { word: string; date: DateAnswer | null }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>
        <Imprecise date={date} />
      </dd>
    </div>
  )
}

function DaysLine({ word, days }: { word: string; days: number | null }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{days === null ? shell.none : `${formatSigned(days)} ${words.days(days)}`}</dd>
    </div>
  )
}

export function Dates({ of }: { of: CommitmentAnswer }) {
  const { dates, rebaselines } = of
  return (
    <Panel title={words.dates}>
      <dl class="fields">
        <DateLine word={words.madeOn} date={dates.madeOn} />
        <DateLine word={words.originalDue} date={dates.originalDue} />
        {rebaselines > 0 && <DateLine word={words.currentDue} date={dates.currentDue} />}
        <DateLine word={words.forecastFinish} date={dates.forecastFinish} />
        <DateLine word={words.actualFinish} date={dates.actualFinish} />
      </dl>
    </Panel>
  )
}

export function Slippage({ of }: { of: CommitmentAnswer }) {
  const { slippageDays, baselineShiftDays, rebaselines, forecastPushes, stalenessDays } = of
  return (
    <Panel title={words.slippage} actions={<span class="id">{words.late}</span>}>
      <dl class="fields">
        <DaysLine word={words.slippageOriginal} days={slippageDays.original} />
        <DaysLine word={words.slippageCurrent} days={slippageDays.current} />
        <DaysLine word={words.shift} days={baselineShiftDays} />
        <div>
          <dt>{words.rebaselines}</dt>
          <dd>{formatNumber(rebaselines)}</dd>
        </div>
        <div>
          <dt>{words.pushes}</dt>
          <dd>{formatNumber(forecastPushes)}</dd>
        </div>
        <div>
          <dt>{words.staleness}</dt>
          <dd>{stalenessDays === null ? shell.none : `${formatNumber(stalenessDays)} ${words.days(stalenessDays)}`}</dd>
        </div>
      </dl>
    </Panel>
  )
}

function targetText({ value, unit, baseline, better }: NonNullable<CommitmentAnswer['target']>): string {
  const from = baseline === null ? '' : `, ${words.from} ${formatNumber(baseline)}`
  return `${formatNumber(value)} ${unit}${from} (${words.better[better]})`
}

function Said({ register, event, children }: { register: string; event: number; children: string }) {
  const href = useHref()
  return (
    <>
      {children} <Link href={href(eventPath(register, event))}>{citations.event(event)}</Link>
    </>
  )
}

/** Target, progress and the responsible side's own word, where there are any. */
function SaidOfIt({ register, of }: { register: RegisterAnswer; of: CommitmentAnswer }) {
  const { target, earlierTargets, progress, reportedStatus, assessments } = of
  const progressText =
    progress &&
    [
      progress.value === null ? null : formatNumber(progress.value),
      progress.percent === null ? null : `${formatNumber(progress.percent)} %`,
      progress.note,
    ]
      .filter((one) => one !== null)
      .join(' · ')
  return (
    <>
      {target && <Line word={words.target}>{targetText(target)}</Line>}
      {earlierTargets.map((one) => (
        <Line key={JSON.stringify(one)} word={words.earlierTarget}>
          {targetText(one)}
        </Line>
      ))}
      {progress && (
        <Line word={words.progress}>
          <Said register={register.id} event={progress.event}>
            {progressText ?? ''}
          </Said>
        </Line>
      )}
      {reportedStatus && (
        <Line word={words.reportedStatus}>
          <q>{reportedStatus.status}</q>{' '}
          <Said register={register.id} event={reportedStatus.event}>
            {reportedStatus.means ? words.means(MEANS_WORDS[reportedStatus.means] ?? reportedStatus.means) : ''}
          </Said>
        </Line>
      )}
      {assessments.map(({ assessor, scale, scaleVersion, rating, event }) => (
        <Line key={event} word={assessor}>
          <Said register={register.id} event={event}>
            {`${rating}, ${words.onScale(scale, scaleVersion)}`}
          </Said>
        </Line>
      ))}
    </>
  )
}

function Line({ word, children }: { word: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function About({ register, of }: { register: RegisterAnswer; of: CommitmentAnswer }) {
  const href = useHref()
  const names = new Map(register.parties.map(({ id, name }) => [id, name]))
  const list = pathOf(register.id, 'commitments')
  return (
    <Panel title={words.about}>
      {of.description && <p class="description">{of.description}</p>}
      <dl class="fields">
        <Line word={words.id}>{of.id}</Line>
        <Line word={words.parties}>{of.parties.map((id) => names.get(id) ?? id).join(', ') || words.noParties}</Line>
        <Line word={words.programme}>
          {of.programme ? (
            <Link href={href(list, { programme: of.programme })}>{of.programme}</Link>
          ) : (
            words.noProgramme
          )}
        </Line>
        {of.themes.length > 0 && (
          <Line word={words.themes}>
            {of.themes.map((theme, index) => (
              <>
                {index > 0 && ', '}
                <Link href={href(list, { theme })}>{theme}</Link>
              </>
            ))}
          </Line>
        )}
        {of.supersededBy.length > 0 && (
          <Line word={words.supersededBy}>
            {of.supersededBy.map((id) => (
              <Link key={id} href={href(commitmentPath(register.id, id))}>
                {id}
              </Link>
            ))}
          </Line>
        )}
        <SaidOfIt register={register} of={of} />
      </dl>
    </Panel>
  )
}

export function Milestones({ of }: { of: CommitmentAnswer }) {
  if (of.milestones.length === 0) return null
  return (
    <Panel title={words.milestones}>
      <div class="scroller">
        <table>
          <thead>
            <tr>
              <th scope="col">{words.milestone}</th>
              <th scope="col">{words.milestoneDue}</th>
              <th scope="col">{words.metOn}</th>
              <th scope="col" class="number">
                {words.slippage}
              </th>
            </tr>
          </thead>
          <tbody>
            {of.milestones.map(({ milestone, title, due, metOn, slippageDays }) => (
              <tr key={milestone}>
                <th scope="row">{title ?? milestone}</th>
                <td>
                  <Imprecise date={due} />
                </td>
                <td>{metOn ? <Imprecise date={metOn} /> : <Badge tone="calm">{words.open}</Badge>}</td>
                <td class="number">{slippageDays === null ? shell.none : formatSigned(slippageDays)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
