// The page: which view stands for which address. It looks at commitments through the REST API alone, as anybody may.

import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { RegisterAnswer } from './answers.ts'
import { placeOfStep, useLocation } from './location.ts'
import { Title } from './parts/frame.tsx'
import { fetchTheRest, later } from './parts/later.tsx'
import { Link } from './parts/link.tsx'
import { RegisterFrame } from './parts/register-frame.tsx'
import { applyTheme, Shell } from './parts/shell.tsx'
import { type RegisterView, type Route, routeOf } from './route.ts'
import { shell } from './strings.ts'
import { Registers } from './views/registers.tsx'

const further = () => import('./views/further.ts')
const Changes = later(() => further().then(({ Changes }) => Changes))
const Commitment = later(() => further().then(({ Commitment }) => Commitment))
const Commitments = later(() => further().then(({ Commitments }) => Commitments))
const Conflicts = later(() => further().then(({ Conflicts }) => Conflicts))
const Event = later(() => further().then(({ Event }) => Event))
const Figures = later(() => further().then(({ Figures }) => Figures))
const Log = later(() => further().then(({ Log }) => Log))
const Operations = later(() => further().then(({ Operations }) => Operations))
const Overview = later(() => import('./views/overview.tsx').then(({ Overview }) => Overview))
const Sources = later(() => further().then(({ Sources }) => Sources))

const OF_REGISTER: Record<RegisterView, (props: { register: RegisterAnswer }) => preact.VNode> = {
  overview: Overview,
  commitments: Commitments,
  figures: Figures,
  conflicts: Conflicts,
  sources: Sources,
  changes: Changes,
  log: Log,
}

function Nowhere() {
  return (
    <>
      <Title lead={shell.nowhereDetail}>{shell.nowhere}</Title>
      <Link href="/">{shell.backToRegisters}</Link>
    </>
  )
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'registers':
      return <Registers />
    case 'operations':
      return <Operations />
    case 'nowhere':
      return <Nowhere />
    case 'commitment':
      return (
        <RegisterFrame register={route.register} view="commitments">
          {(register) => <Commitment register={register} id={route.commitment} />}
        </RegisterFrame>
      )
    case 'event':
      return (
        <RegisterFrame register={route.register} view="log" hasClocks={false}>
          {(register) => <Event register={register} position={route.position} />}
        </RegisterFrame>
      )
    default: {
      const Named = OF_REGISTER[route.view]
      const hasClocks = route.view !== 'log' && route.view !== 'changes'
      return (
        <RegisterFrame register={route.register} view={route.view} hasClocks={hasClocks}>
          {(register) => <Named register={register} />}
        </RegisterFrame>
      )
    }
  }
}

const PATIENCE_MS = 4_000

/** Scrolls to a place as soon as the view is long enough, unless the reader does; returns what gives it up. */
function scrollWhenThere(y: number): () => void {
  scrollTo(0, 0)
  let frame = 0
  const until = performance.now() + PATIENCE_MS
  const look = () => {
    if (document.documentElement.scrollHeight - innerHeight >= y) scrollTo(0, y)
    else if (performance.now() < until) frame = requestAnimationFrame(look)
  }
  const stop = () => {
    cancelAnimationFrame(frame)
    for (const name of ['wheel', 'touchstart', 'keydown']) removeEventListener(name, stop)
  }
  for (const name of ['wheel', 'touchstart', 'keydown']) addEventListener(name, stop, { passive: true })
  if (y > 0) look()
  return stop
}

function Page() {
  const { path } = useLocation()
  const before = useRef(path)
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    const settle = scrollWhenThere(placeOfStep())
    // The next view is said and read from its top, as if the browser had loaded it.
    document.getElementById('content')?.focus({ preventScroll: true })
    return settle
  }, [path])
  return (
    <Shell>
      <View route={routeOf(path)} key={path} />
    </Shell>
  )
}

applyTheme()
const root = document.getElementById('app')
if (root) render(<Page />, root)
fetchTheRest()
