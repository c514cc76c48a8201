// The parts of a register, each with its shares as a bar: by programme, theme or party.

import type { SummaryAnswer } from '../../answers.ts'
import { formatNumber, formatPercent } from '../../format.ts'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { pathOf } from '../../route.ts'
import { shell, overview as words } from '../../strings.ts'
import { useFigureHref } from './headline.tsx'

type Group = SummaryAnswer['groups'][number]

function Bar({ of: { inScope, delivered, late, notDelivered }, most }: { of: Group; most: number }) {
  const part = (count: number) => String((100 * count) / most)
  return (
    <svg class="group-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rest" width={part(inScope)} height="4" />
      <rect class="delivered" width={part(delivered.count)} height="4" />
      <rect class="late" x={part(delivered.count)} width={part(late.count)} height="4" />
      <rect class="not" x={part(delivered.count + late.count)} width={part(notDelivered.count)} height="4" />
    </svg>
  )
}

function Share({ of: { count, percent }, href }: { of: Group['delivered']; href: string }) {
  if (count === 0) return <td class="number">0</td>
  return (
    <td class="number">
      <Link href={href}>{formatNumber(count)}</Link> <span class="id">{formatPercent(percent)}</span>
    </td>
  )
}

function Line({
  register,
  of,
  most,
  names,
}: {
  register: string
  of: Group
  most: number
  names: ReadonlyMap<string, string>
}) {
  const href = useHref()
  const figure = useFigureHref(register)
  const narrowed = { [of.by]: [of.key ?? ''] }
  const { inScope, delivered, late, coverage } = of
  const name = of.key === null ? words.noGroup[of.by] : (of.title ?? names.get(of.key) ?? of.key)
  return (
    <tr>
      <th scope="row">
        <Link href={href(pathOf(register, 'commitments'), narrowed)}>{name}</Link>
      </th>
      <td class="bar-cell">
        <Bar of={of} most={most} />
      </td>
      <td class="number">{formatNumber(inScope)}</td>
      <Share of={delivered} href={figure('delivered', narrowed)} />
      <Share of={late} href={figure('late', narrowed)} />
      {of.by === 'programme' && (
        <td class="number">
          {coverage ? `${words.share(coverage.of)}, ${formatPercent(coverage.percent)}` : shell.none}
        </td>
      )}
    </tr>
  )
}

type Props = { register: string; by: Group['by']; groups: readonly Group[]; names: ReadonlyMap<string, string> }

/** Nothing where there is only what belongs to none. */
export function Groups({ register, by, groups, names }: Props) {
  if (!groups.some(({ key }) => key !== null)) return null
  const most = Math.max(1, ...groups.map(({ inScope }) => inScope))
  return (
    <Panel title={words.groups[by]}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroller" tabIndex={0} aria-label={words.groups[by]}>
        <table class="groups">
          <thead>
            <tr>
              <th scope="col">{words.group[by]}</th>
              <th scope="col" class="bar-cell">
                <span class="hidden">{words.bar}</span>
              </th>
              <th scope="col" class="number">
                {words.inScopeHead}
              </th>
              <th scope="col" class="number">
                {words.deliveredHead}
              </th>
              <th scope="col" class="number">
                {words.lateHead}
              </th>
              {by === 'programme' && (
                <th scope="col" class="number">
                  {words.coverageHead}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <Line key={group.key} register={register} of={group} most={most} names={names} />
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  )
}
