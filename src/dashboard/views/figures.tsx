// What others report in numbers, each beside what the register computes.

import './figures.css'
import { useEffect } from 'preact/hooks'
import type { FiguresAnswer, RegisterAnswer, ReportedFigureAnswer, SourceAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { address, go, useLocation, withParams } from '../location.ts'
import { useSources } from '../parts/citations.tsx'
import { Losses, Shown, Title } from '../parts/frame.tsx'
import { useSlice } from '../parts/pages.tsx'
import { figures as words } from '../strings.ts'
import { Report } from './figures/report.tsx'

const FILTERS: Record<keyof typeof words.filters, (report: ReportedFigureAnswer) => boolean> = {
  all: () => true,
  compared: ({ computed }) => computed !== null,
  different: ({ computed }) => computed !== null && computed.difference !== 0,
  arithmetic: ({ checks }) => checks.some(({ agrees }) => agrees === 'no'),
  conflicting: ({ conflicts }) => conflicts.length > 0,
}

function filterOf(text: string | null): keyof typeof FILTERS {
  return text !== null && Object.hasOwn(FILTERS, text) ? (text as keyof typeof FILTERS) : 'all'
}

type Sources = ReadonlyMap<string, SourceAnswer>

/** Whether every word that is looked for stands somewhere in a report. */
function holds(report: ReportedFigureAnswer, sources: Sources, terms: readonly string[]): boolean {
  if (terms.length === 0) return true
  const { metric, figure, programme, programmeTitle, citations } = report
  const cited = citations.flatMap(({ source, claimedBy }) => [source, claimedBy, sources.get(source)?.title])
  const text = [metric, figure, programme, programmeTitle, ...cited].join(' ').toLowerCase()
  return terms.every((term) => text.includes(term))
}

function Controls({ all, q, show }: { all: readonly ReportedFigureAnswer[]; q: string; show: string }) {
  const place = useLocation()
  return (
    <>
      <div class="search">
        <label class="hidden" for="figure-q">
          {words.search}
        </label>
        <input
          id="figure-q"
          type="search"
          placeholder={words.search}
          value={q}
          onInput={({ currentTarget }) => go(withParams(place, { q: currentTarget.value }), { replace: true })}
        />
      </div>
      <label class="choice figures-show">
        {words.show}
        <select
          value={show}
          onChange={({ currentTarget: { value } }) => go(withParams(place, { show: value === 'all' ? null : value }))}
        >
          {Object.entries(FILTERS).map(([name, test]) => (
            <option key={name} value={name}>
              {`${words.filters[filterOf(name)]} (${all.filter(test).length})`}
            </option>
          ))}
        </select>
      </label>
    </>
  )
}

/** Brings the report that the address names into view, once it is there. */
function useNamed(event: string | null, isThere: boolean): void {
  useEffect(() => {
    if (event !== null && isThere) document.getElementById(`report-${event}`)?.scrollIntoView({ block: 'center' })
  }, [event, isThere])
}

function List({ answer, register }: { answer: FiguresAnswer; register: string }) {
  const { params } = useLocation()
  const sources = useSources(register)
  const q = params.get('q') ?? ''
  const show = filterOf(params.get('show'))
  const named = params.get('event')
  const terms = q.toLowerCase().split(/\s+/).filter(Boolean)
  const isNarrowed = terms.length > 0 || show !== 'all'
  // The newest first; the one that the address names before all, where it would not be among the first.
  const found = answer.items.filter((one) => FILTERS[show](one) && holds(one, sources, terms)).reverse()
  const { shown, button } = useSlice(found, `${q} ${show}`, 50)
  const beyond = found.slice(shown.length).filter(({ event }) => String(event) === named)
  useNamed(named, answer.items.length > 0)
  if (answer.items.length === 0) return <p class="empty">{words.none}</p>
  return (
    <>
      <div class="list-head">
        <Controls all={answer.items} q={q} show={show} />
        <strong role="status">
          {isNarrowed ? words.found(found.length, answer.items.length) : words.count(found.length)}
        </strong>
      </div>
      {found.length === 0 && <p class="empty">{words.nothing}</p>}
      <ul class="stack">
        {[...beyond, ...shown].map((report) => (
          <Report
            key={report.event}
            register={register}
            of={report}
            sources={sources}
            isNamed={String(report.event) === named}
          />
        ))}
      </ul>
      {button}
    </>
  )
}

export function Figures({ register }: { register: RegisterAnswer }) {
  const { asOf, knownAt } = useClocks()
  const resource = useResource<FiguresAnswer>(address(`/v1/registers/${register.id}/figures`, { asOf, knownAt }))
  return (
    <>
      <Title lead={words.lead}>{words.title}</Title>
      <Shown of={resource}>
        {(answer) => (
          <>
            <Losses count={answer.redactedCount} />
            <List answer={answer} register={register.id} />
          </>
        )}
      </Shown>
    </>
  )
}
