// A register at a glance: its headline, what was reported beside it, how it came there, where it slips, and its parts.

import './overview.css'
import type { CommitmentAnswer, ListAnswer, RegisterAnswer, SummaryAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { address } from '../location.ts'
import { Losses, Shown, Title } from '../parts/frame.tsx'
import { overview as words } from '../strings.ts'
import { FirstConflicts } from './overview/conflicts.tsx'
import { EarnedSchedule } from './overview/earned.tsx'
import { Groups } from './overview/groups.tsx'
import { Headline, MoreFigures } from './overview/headline.tsx'
import { OverTime } from './overview/over-time.tsx'
import { Reported } from './overview/reported.tsx'
import { Spread } from './overview/spread.tsx'
import { Trend } from './overview/trend.tsx'

const DIMENSIONS = ['programme', 'theme', 'party'] as const

/** The day of the first promise; null where there is none, undefined until it is known. */
function useFirstPromise(register: string): string | null | undefined {
  const { asOf, knownAt } = useClocks()
  const url = address(`/v1/registers/${register}/commitments`, { asOf, knownAt, sort: 'madeOn', limit: 1 })
  const { data } = useResource<ListAnswer<CommitmentAnswer>>(url)
  if (!data) return undefined
  const made = data.items[0]?.dates.madeOn
  return made?.latest ?? made?.earliest ?? null
}

function Charts({ register, of }: { register: string; of: SummaryAnswer }) {
  const from = useFirstPromise(register)
  const programmes = of.groups.filter(({ by }) => by === 'programme')
  if (from === undefined) return null
  if (from === null) return <p class="empty">{words.nothingYet}</p>
  return (
    <>
      <div class="grid charts">
        <OverTime register={register} from={from} to={of.asOf} />
        <EarnedSchedule register={register} from={from} of={of} />
      </div>
      <Trend register={register} programmes={programmes} />
      <div class="grid charts">
        <Spread register={register} />
        <FirstConflicts register={register} />
      </div>
    </>
  )
}

export function Overview({ register }: { register: RegisterAnswer }) {
  const { asOf, knownAt } = useClocks()
  const url = address(`/v1/registers/${register.id}/summary`, { asOf, knownAt, groupBy: DIMENSIONS })
  const names = new Map(register.parties.map(({ id, name }) => [id, name]))
  return (
    <>
      <Title>{register.title}</Title>
      <Shown of={useResource<SummaryAnswer>(url)}>
        {(summary) => (
          <div class="stack overview">
            <Losses count={summary.redactedCount} />
            <Headline register={register.id} of={summary} />
            <Reported register={register} />
            <Charts register={register.id} of={summary} />
            <MoreFigures register={register.id} of={summary} />
            {DIMENSIONS.map((by) => (
              <Groups
                key={by}
                register={register.id}
                by={by}
                groups={summary.groups.filter((group) => group.by === by)}
                names={names}
              />
            ))}
          </div>
        )}
      </Shown>
    </>
  )
}
