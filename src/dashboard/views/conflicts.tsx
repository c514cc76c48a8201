// What cannot all hold in a register, each conflict with both its sides.

import './conflicts.css'
import type { ListAnswer, ListedConflict, RegisterAnswer, SourceAnswer } from '../answers.ts'
import { useClocks } from '../clocks.ts'
import { go, useLocation, withParams } from '../location.ts'
import { useSources } from '../parts/citations.tsx'
import { ConflictKind, ConflictSides } from '../parts/conflict.tsx'
import { Losses, Shown, Title } from '../parts/frame.tsx'
import { Link, useHref } from '../parts/link.tsx'
import { More, usePages } from '../parts/pages.tsx'
import { commitmentPath, pathOf } from '../route.ts'
import { CONFLICT_WORDS, shell, conflicts as words } from '../strings.ts'

type Answer = ListAnswer<ListedConflict>

/** Narrows the list to some kinds; none chosen is all. */
function Kinds() {
  const place = useLocation()
  const chosen = place.params.getAll('kind')
  const choose = (kinds: readonly string[]) => go(withParams(place, { kind: kinds }))
  const toggle = (kind: string) =>
    choose(chosen.includes(kind) ? chosen.filter((one) => one !== kind) : [...chosen, kind])
  return (
    <fieldset class="kinds">
      <legend>{words.kinds}</legend>
      <button type="button" class="kind" aria-pressed={chosen.length === 0} onClick={() => choose([])}>
        {words.all}
      </button>
      {Object.entries(CONFLICT_WORDS).map(([kind, word]) => (
        <button key={kind} type="button" class="kind" aria-pressed={chosen.includes(kind)} onClick={() => toggle(kind)}>
          {word}
        </button>
      ))}
    </fieldset>
  )
}

/** What a conflict is about, in words and as the view that shows it. */
function useSubject(register: string) {
  const href = useHref()
  return ({ about }: ListedConflict): { word: string; id: string; to: string } => {
    if ('commitment' in about)
      return {
        word: words.about.commitment,
        id: about.commitment,
        to: href(commitmentPath(register, about.commitment)),
      }
    if ('programme' in about) {
      const to = href(pathOf(register, 'commitments'), { programme: about.programme })
      return { word: words.about.programme, id: about.programme, to }
    }
    if ('party' in about) {
      const to = href(pathOf(register, 'commitments'), { party: about.party })
      return { word: words.about.party, id: about.party, to }
    }
    if ('source' in about) {
      const to = href(pathOf(register, 'sources'), { q: about.source })
      return { word: words.about.source, id: about.source, to }
    }
    const to = href(pathOf(register, 'figures'), { event: about.figure })
    return { word: words.about.figure, id: words.event(about.figure), to }
  }
}

type EntryProps = { register: string; of: ListedConflict; sources: ReadonlyMap<string, SourceAnswer> }

function Entry({ register, of, sources }: EntryProps) {
  const { word, id, to } = useSubject(register)(of)
  return (
    <li class="panel conflict">
      <header>
        <h2>
          <Link href={to}>{of.title || id}</Link>
        </h2>
        <span class="id">
          {word} · {id}
        </span>
        <ConflictKind of={of.kind} />
      </header>
      <ConflictSides register={register} of={of} sources={sources} />
    </li>
  )
}

export function Conflicts({ register }: { register: RegisterAnswer }) {
  const { params } = useLocation()
  const { asOf, knownAt } = useClocks()
  const kind = params.getAll('kind')
  const pages = usePages<Answer>(`/v1/registers/${register.id}/conflicts`, { asOf, knownAt, kind })
  const sources = useSources(register.id)
  return (
    <>
      <Title lead={words.lead}>{shell.views.conflicts}</Title>
      <Kinds />
      <Shown of={pages.first}>
        {({ redactedCount }) => (
          <>
            <p class="count" role="status">
              {pages.isWhole ? words.count(pages.items.length) : words.moreThan(pages.items.length)}
            </p>
            <Losses count={redactedCount} />
            {pages.items.length === 0 && <p class="empty">{kind.length === 0 ? words.none : words.noneOfKind}</p>}
            <ul class="stack">
              {pages.items.map((one) => (
                <Entry
                  key={JSON.stringify([one.kind, one.about, one.events, one.detail])}
                  register={register.id}
                  of={one}
                  sources={sources}
                />
              ))}
            </ul>
            <More of={pages} count={words.shown} />
          </>
        )}
      </Shown>
    </>
  )
}
