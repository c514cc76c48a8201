// What was reported of a register beside what it computes: the newest reports, in short.

import type { FiguresAnswer, RegisterAnswer, ReportedFigureAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { useClocks } from '../../clocks.ts'
import { formatDate, formatNumber, formatPercent, formatSigned } from '../../format.ts'
import { address } from '../../location.ts'
import { useSources } from '../../parts/citations.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { pathOf } from '../../route.ts'
import { FIGURE_WORDS, shell, overview as words } from '../../strings.ts'

const SHOWN = 6

type Sources = ReturnType<typeof useSources>

function whoSays({ citations, occurredOn }: ReportedFigureAnswer, sources: Sources): string {
  const names = citations.map(({ claimedBy, source }) => claimedBy ?? sources.get(source)?.publisher ?? source)
  return [...new Set(names), formatDate(occurredOn)].join(', ')
}

function Line({ of, register, sources }: { of: ReportedFigureAnswer; register: string; sources: Sources }) {
  const href = useHref()
  const { computed, value, of: whole, statedPercent, figure, metric, programmeTitle, programme, event, coverage } = of
  const stated = statedPercent === null ? '' : `, ${formatNumber(statedPercent)} %`
  const own = { figure: figure ?? '', programme: programme ?? null }
  return (
    <tr>
      <th scope="row">
        <Link href={href(pathOf(register, 'figures'), { event })}>{metric}</Link>
        <div class="id">
          {FIGURE_WORDS[figure ?? ''] ?? figure} · {programmeTitle ?? programme ?? words.wholeRegister} ·{' '}
          {whoSays(of, sources)}
        </div>
        {coverage && <div class="id">{words.covered(coverage.count, coverage.of)}</div>}
      </th>
      <td class="number">
        {formatNumber(value)}
        {whole !== null && ` ${words.share(whole)}`}
        {stated}
      </td>
      <td class="number">
        {computed?.value == null ? (
          shell.none
        ) : (
          <Link href={href(pathOf(register, 'commitments'), own)}>{formatNumber(computed.value)}</Link>
        )}
        {computed?.of != null && computed.figure !== 'inScope' && ` ${words.share(computed.of)}`}
        {computed?.percent != null && `, ${formatPercent(computed.percent)}`}
      </td>
      <td class="number">{computed?.difference == null ? shell.none : formatSigned(computed.difference)}</td>
    </tr>
  )
}

/** Nothing where no report names a figure that the register computes. */
export function Reported({ register }: { register: RegisterAnswer }) {
  const { asOf, knownAt } = useClocks()
  const href = useHref()
  const sources = useSources(register.id)
  const { data } = useResource<FiguresAnswer>(address(`/v1/registers/${register.id}/figures`, { asOf, knownAt }))
  const compared = (data?.items ?? []).filter(({ figure }) => figure !== null).reverse()
  if (compared.length === 0) return null
  return (
    <Panel
      title={words.reported}
      note={words.reportedNote}
      actions={<Link href={href(pathOf(register.id, 'figures'))}>{words.allReported(data?.items.length ?? 0)}</Link>}
    >
      <div class="scroller">
        <table class="reported-table">
          <thead>
            <tr>
              <th scope="col">{words.report}</th>
              <th scope="col" class="number">
                {words.reportedValue}
              </th>
              <th scope="col" class="number">
                {words.computedValue}
              </th>
              <th scope="col" class="number">
                {words.difference}
              </th>
            </tr>
          </thead>
          <tbody>
            {compared.slice(0, SHOWN).map((one) => (
              <Line key={one.event} of={one} register={register.id} sources={sources} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
