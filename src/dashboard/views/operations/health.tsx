// How the service is, what somebody has to look at, and who is asking.

import type { CallerAnswer, ProjectionAnswer } from '../../answers.ts'
import { useService, wantToken } from '../../api.ts'
import { useLocation, withParams } from '../../location.ts'
import { FailureNote, Loading, Panel } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { Badge, type Tone } from '../../parts/status.tsx'
import { type Readiness, useReady } from '../../ready.ts'
import { eventPath, pathOf } from '../../route.ts'
import { plural, operations as words } from '../../strings.ts'
import { projectionWord } from './replays.ts'

const STATUSES: Record<NonNullable<Readiness['status']>, { tone: Tone; word: string; detail: string }> = {
  ready: { tone: 'good', word: words.ready, detail: words.readyDetail },
  degraded: { tone: 'warn', word: words.degraded, detail: words.degradedDetail },
  notReady: { tone: 'bad', word: words.notReady, detail: '' },
}

const AWAY = { tone: 'late', word: words.away, detail: words.awayDetail } as const

const SHOWN = 6

type Trouble = { key: string; what: string; why: string | null; where: { href: string; word: string } | null }

/** What projections have the same trouble with is said once. */
function projectionTroubles(states: readonly ProjectionAnswer[]): Trouble[] {
  const troubled = states.filter(({ stopped, status }) => stopped !== null || status === 'stuck')
  const alike = Map.groupBy(troubled, ({ register, stopped }) => `${register} ${stopped?.position} ${stopped?.reason}`)
  return [...alike].map(([key, [first, ...rest]]): Trouble => {
    // Safe: a group has one at least.
    const { register, stopped, behindEvents, behindSeconds } = first as ProjectionAnswer
    const names = [first as ProjectionAnswer, ...rest].map(({ projection }) => projectionWord(projection))
    if (!stopped) {
      const why = words.behind(behindEvents, behindSeconds)
      return { key, what: words.stuck(names, register), why, where: null }
    }
    const where = { href: eventPath(register, stopped.position), word: words.stoppedAt(stopped.position) }
    return { key, what: words.stopped(names, register), why: stopped.reason, where }
  })
}

function troublesOf({ ready }: Readiness): Trouble[] {
  if (!ready) return []
  const seals = ready.sealing.flatMap(({ register, refused }): Trouble[] => {
    if (refused === null) return []
    const where = { href: pathOf(register, 'log'), word: words.events }
    return [{ key: `seal ${register}`, what: words.refused(register), why: refused, where }]
  })
  const unsafe = ready.unsafeDatabase.map((why) => ({ key: why, what: words.unsafe, why, where: null }))
  return [...unsafe, ...seals, ...projectionTroubles(ready.projections)]
}

function Troubles({ of }: { of: readonly Trouble[] }) {
  const place = useLocation()
  if (of.length === 0) return null
  return (
    <>
      <h3>{words.trouble}</h3>
      <ul class="troubles">
        {of.slice(0, SHOWN).map(({ key, what, why, where }) => (
          <li key={key}>
            <strong>{what}</strong> {where && <Link href={where.href}>{where.word}</Link>}
            {why && <span class="why">{why}</span>}
          </li>
        ))}
      </ul>
      {of.length > SHOWN && (
        <Link href={withParams(place, { troubled: 'true' })}>{words.furtherTroubles(of.length - SHOWN)}</Link>
      )}
    </>
  )
}

/** Roles with what they are for; roles for the same registers in one phrase. */
function grantsText({ grants }: CallerAnswer): string {
  if (grants.length === 0) return words.you.noGrants
  const shown = grants.slice(0, 5).map(({ role, register }) => words.you.grant(role, register))
  const left = grants.length - shown.length
  return [...shown, ...(left > 0 ? [plural(left, 'further role')] : [])].join(', ')
}

/** The form stands above the view. */
function enterToken(): void {
  wantToken()
  requestAnimationFrame(() => document.getElementById('token')?.focus())
}

function You({ access }: { access: CallerAnswer | undefined }) {
  if (!access) return null
  if (access.control === 'none') return <p class="you">{words.you.local}</p>
  if (access.caller !== null) return <p class="you">{words.you.known(access.caller, grantsText(access))}</p>
  return (
    <p class="you">
      {words.you.unknown}{' '}
      <button type="button" class="quiet" onClick={enterToken}>
        {words.you.enter}
      </button>
    </p>
  )
}

export function Health({ access }: { access: CallerAnswer | undefined }) {
  const readiness = useReady()
  const { status, detail, failure } = readiness
  const isAway = useService().awaySince !== null
  const shown = status && (isAway ? AWAY : STATUSES[status])
  const troubles = troublesOf(readiness)
  return (
    <Panel title={words.health}>
      {!shown && (failure ? <FailureNote failure={failure} /> : <Loading />)}
      {shown && (
        <p class="health" role="status">
          <Badge tone={shown.tone}>{shown.word}</Badge>{' '}
          <span>
            {[shown.detail, (troubles.length === 0 || status === 'notReady') && !isAway ? detail : null]
              .filter(Boolean)
              .join(' ')}
          </span>
        </p>
      )}
      <Troubles of={troubles} />
      <You access={access} />
    </Panel>
  )
}
