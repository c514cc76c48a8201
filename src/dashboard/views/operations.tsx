// For operators: how the service is, how far projections and seals have come, and building anew.

import './operations.css'
import { useEffect, useState } from 'preact/hooks'
import type { CallerAnswer, ProjectionsAnswer } from '../answers.ts'
import { useResource, useService } from '../api.ts'
import { go, useLocation, withParams } from '../location.ts'
import { Panel, Shown, Title } from '../parts/frame.tsx'
import { shell, operations as words } from '../strings.ts'
import { BeginReplay } from './operations/begin.tsx'
import { Health } from './operations/health.tsx'
import { Operation } from './operations/operation.tsx'
import { RegisterStates } from './operations/registers.tsx'
import { REPLAY } from './operations/replays.ts'
import { mayOperateAnything, seesEverything } from './operations/rights.ts'

type Props = { list: ProjectionsAnswer; access: CallerAnswer | undefined }

/** The operation that is shown: one that has not ended, else the one of the address. */
function useShownOperation({ operations }: ProjectionsAnswer): string | null {
  const place = useLocation()
  const named = place.params.get('operation') || null
  const underWay = operations[0]?.id ?? null
  useEffect(() => {
    // Kept in the address, so that its end can be seen, and seen again.
    if (underWay !== null && underWay !== named) go(withParams(place, { operation: underWay }), { replace: true })
  }, [underWay, named])
  return underWay ?? named
}

function ReplayPanel({ list, access, names, begin }: Props & { names: readonly string[]; begin: () => void }) {
  const shown = useShownOperation(list)
  const isFree = list.operations.length === 0
  const isAway = useService().awaySince !== null
  const mayBegin = mayOperateAnything(access)
  const action = isFree && mayBegin && !isAway && (
    <button type="button" class="primary" onClick={begin}>
      {words.begin}
    </button>
  )
  return (
    <div id={REPLAY} tabIndex={-1}>
      <Panel title={words.underWay} actions={action}>
        {shown === null && <p class="empty">{seesEverything(access) ? words.nothing : words.nothingVisible}</p>}
        {shown !== null && (
          <Operation
            key={shown}
            id={shown}
            listed={list.operations.find(({ id }) => id === shown)}
            projections={names}
            access={access}
          />
        )}
        {access && !mayBegin && <p class="note">{words.mayNotReplay}</p>}
        {mayBegin && !isFree && <p class="note">{words.oneAtATime}</p>}
      </Panel>
    </div>
  )
}

function Loaded({ list, access }: Props) {
  // undefined: the dialog is closed; null: it proposes every register.
  const [asked, setAsked] = useState<string | null | undefined>(undefined)
  const names = [...new Set(list.items.map(({ projection }) => projection))]
  const registers = [...new Set(list.items.map(({ register }) => register))].sort()
  const mayBegin = list.operations.length === 0
  return (
    <div class="stack ops">
      <div class="grid">
        <Health access={access} />
        <ReplayPanel list={list} access={access} names={names} begin={() => setAsked(null)} />
      </div>
      <RegisterStates items={list.items} names={names} mayBegin={mayBegin} begin={setAsked} access={access} />
      {asked !== undefined && (
        <BeginReplay
          projections={names}
          registers={registers}
          access={access}
          register={asked}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  )
}

export function Operations() {
  const list = useResource<ProjectionsAnswer>('/v1/projections')
  const access = useResource<CallerAnswer>('/v1/access').data
  return (
    <>
      <Title lead={words.lead}>{shell.operations}</Title>
      <Shown of={list}>{(data) => <Loaded list={data} access={access} />}</Shown>
    </>
  )
}
