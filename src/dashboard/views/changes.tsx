// What changed between two states of knowledge about one day: the figures, and the commitments that stand otherwise.

import './changes.css'
import type { DifferenceAnswer, RegisterAnswer } from '../answers.ts'
import { formatNumber } from '../format.ts'
import { Day, Instant } from '../parts/dates.tsx'
import { Losses, Panel, Shown, Title } from '../parts/frame.tsx'
import { More, usePages } from '../parts/pages.tsx'
import { shell, changes as words } from '../strings.ts'
import { Checkpoints } from './changes/checkpoints.tsx'
import { Controls } from './changes/controls.tsx'
import { FigureTable } from './changes/figures.tsx'
import { Changed } from './changes/items.tsx'
import { useAsked } from './changes/sizes.ts'

type BetweenProps = { of: DifferenceAnswer; count: number; isWhole: boolean }

/** What is compared and what came of it, in a sentence each. */
function Between({ of, count, isWhole }: BetweenProps) {
  const { from, to, asOf } = of
  if (from.size === to.size) return <p class="between">{words.sameSize(from.size)}</p>
  const when = (at: string | null) =>
    at !== null && (
      <>
        {' ('}
        <Instant at={at} />)
      </>
    )
  return (
    <p class="between" role="status">
      {words.between} <strong>{formatNumber(from.size)}</strong>
      {when(from.recordedAt)} {words.and} <strong>{formatNumber(to.size)}</strong>
      {when(to.recordedAt)}, {words.events(to.size - from.size)}{' '}
      <strong>
        {count === 0 ? words.noneStands : `${words.commitments(count, isWhole)} ${words.stand(isWhole ? count : 2)}`}
      </strong>{' '}
      {words.asOf} <Day on={asOf} />.
    </p>
  )
}

type Item = DifferenceAnswer['items'][number]

const SECTIONS = [
  { key: 'news', title: words.news, note: words.newsNote, holds: ({ kind }: Item) => kind === 'news' },
  // What was both mended and learned of stands with the repairs: each cause says which it is.
  { key: 'repair', title: words.repairs, note: words.repairsNote, holds: ({ kind }: Item) => kind !== 'news' },
]

type ListProps = { register: RegisterAnswer; of: DifferenceAnswer; items: readonly Item[]; isWhole: boolean }

function Sections({ register, of, items, isWhole }: ListProps) {
  return (
    <>
      {SECTIONS.map(({ key, title, note, holds }) => {
        const those = items.filter(holds)
        if (those.length === 0) return null
        return (
          <Panel key={key} title={title} note={note} actions={words.commitments(those.length, isWhole)}>
            <ul class="changed">
              {those.map((item) => (
                <Changed key={item.id} register={register} of={item} answer={of} />
              ))}
            </ul>
          </Panel>
        )
      })}
    </>
  )
}

export function Changes({ register }: { register: RegisterAnswer }) {
  const asked = useAsked(register)
  const { asOf, from, to } = asked
  const pages = usePages<DifferenceAnswer>(
    `/v1/registers/${register.id}/summary/difference`,
    from === null ? null : { asOf, from, to },
  )
  const { data } = pages.first
  return (
    <>
      <Title lead={words.lead}>{shell.views.changes}</Title>
      <Controls register={register} asked={asked} answer={data} />
      <Shown of={pages.first}>
        {(answer) => (
          <div class="stack">
            <Between of={answer} count={pages.items.length} isWhole={pages.isWhole} />
            <Losses count={answer.redactedCount} />
            <div class="changes-grid">
              <Panel title={words.figures}>
                <FigureTable register={register.id} of={answer} />
              </Panel>
              <Checkpoints register={register} of={answer} />
            </div>
            <Sections register={register} of={answer} items={pages.items} isWhole={pages.isWhole} />
            <More of={pages} count={words.shown} />
          </div>
        )}
      </Shown>
    </>
  )
}
