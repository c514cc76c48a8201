// The figures of a register at a glance, each leading to exactly what it counts.

import type { ComponentChildren } from 'preact'
import type { SummaryAnswer } from '../../answers.ts'
import { formatDay, formatIndex, formatNumber, formatPercent, formatSigned } from '../../format.ts'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { pathOf } from '../../route.ts'
import { FIGURE_NOTES, FIGURE_WORDS, SHARES, shell, overview as words } from '../../strings.ts'

/** Leads to the list that a figure counts, at the clocks of the view. */
export function useFigureHref(register: string): (figure: string, more?: Record<string, string | string[]>) => string {
  const href = useHref()
  return (figure, more = {}) => href(pathOf(register, 'commitments'), { figure, ...more })
}

type BigProps = { href: string; number: number; percent?: number | null; word: string; tone?: string; note: string }

function Big({ href, number, percent, word, tone = '', note }: BigProps) {
  return (
    <li class={`big ${tone}`}>
      <Link href={href}>
        <span class="big-number">{formatNumber(number)}</span> <span class="big-word">{word}</span>
        {percent != null && <span class="big-percent">, {formatPercent(percent)}</span>}
      </Link>
      <p>{note}</p>
    </li>
  )
}

export function Headline({ register, of }: { register: string; of: SummaryAnswer }) {
  const figure = useFigureHref(register)
  const { inScope, delivered, late } = of
  return (
    <ul class="headline">
      <Big href={figure('inScope')} number={inScope} word={words.inScope} note={FIGURE_NOTES.inScope} />
      <Big
        href={figure('delivered')}
        number={delivered.count}
        percent={delivered.percent}
        word={words.delivered}
        tone="tone-good"
        note={FIGURE_NOTES.delivered}
      />
      <Big
        href={figure('late')}
        number={late.count}
        percent={late.percent}
        word={words.late}
        tone="tone-late"
        note={FIGURE_NOTES.late}
      />
    </ul>
  )
}

type SmallProps = { href?: string | undefined; word: string; note: string; children: ComponentChildren }

function Small({ href, word, note, children }: SmallProps) {
  return (
    <div class="small">
      <dt>{href ? <Link href={href}>{word}</Link> : word}</dt>
      <dd>{children}</dd>
      <dd class="id">{note}</dd>
    </div>
  )
}

/** Those that do not stand large above. */
const FURTHER_SHARES = SHARES.filter((name) => name !== 'delivered' && name !== 'late')

function Slippage({ of }: { of: SummaryAnswer['slippageDays']['current'] }) {
  const text = (value: number | null) => (value === null ? shell.none : formatSigned(value))
  return (
    <>
      {text(of.median)} <small>{words.slippageRest(text(of.mean), text(of.p90), text(of.max), of.of)}</small>
    </>
  )
}

/** The rest of the figures, each with what it means. */
export function MoreFigures({ register, of }: { register: string; of: SummaryAnswer }) {
  const figure = useFigureHref(register)
  const { baselineExecutionIndex: index, earnedSchedule: earned, slippageDays, excluded } = of
  return (
    <Panel title={words.more}>
      <dl class="smalls">
        {FURTHER_SHARES.map((name) => (
          <Small key={name} href={figure(name)} word={FIGURE_WORDS[name] ?? name} note={FIGURE_NOTES[name]}>
            {formatNumber(of[name].count)}{' '}
            <small>
              {words.share(of[name].of)}, {formatPercent(of[name].percent)}
            </small>
          </Small>
        ))}
        <Small
          href={figure('baselineExecutionIndex')}
          word={FIGURE_WORDS.baselineExecutionIndex ?? ''}
          note={FIGURE_NOTES.baselineExecutionIndex}
        >
          {formatIndex(index.value)} <small>{words.ratio(index.count, index.of)}</small>
        </Small>
        {(['original', 'current'] as const).map((against) => (
          <Small
            key={against}
            href={figure(`slippageDays.${against}`)}
            word={FIGURE_WORDS[`slippageDays.${against}`] ?? ''}
            note={FIGURE_NOTES[`slippageDays.${against}`]}
          >
            <Slippage of={slippageDays[against]} />
          </Small>
        ))}
        <Small
          href={figure('earnedSchedule')}
          word={FIGURE_WORDS.earnedSchedule ?? ''}
          note={FIGURE_NOTES.earnedSchedule}
        >
          {formatIndex(earned.spi)}{' '}
          {earned.forecastFinish && <small>{words.atThisPace(formatDay(earned.forecastFinish))}</small>}
        </Small>
        {excluded.withdrawn + excluded.superseded > 0 && (
          <Small word={words.excluded} note={words.excludedNote}>
            {formatNumber(excluded.withdrawn + excluded.superseded)}{' '}
            <small>{words.excludedRest(excluded.withdrawn, excluded.superseded)}</small>
          </Small>
        )}
      </dl>
    </Panel>
  )
}
