// The page: which view stands for which address. It looks at commitments through the REST API alone, as anybody may.

import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { RegisterAnswer } from './answers.ts'
import { useLocation } from './location.ts'
import { Title } from './parts/frame.tsx'
import { Link } from './parts/link.tsx'
import { RegisterFrame } from './parts/register-frame.tsx'
import { applyTheme, Shell } from './parts/shell.tsx'
import { type RegisterView, type Route, routeOf } from './route.ts'
import { shell } from './strings.ts'
import { Changes } from './views/changes.tsx'
import { Commitment } from './views/commitment.tsx'
import { Commitments } from './views/commitments.tsx'
import { Conflicts } from './views/conflicts.tsx'
import { Event } from './views/event.tsx'
import { Figures } from './views/figures.tsx'
import { Log } from './views/log.tsx'
import { Operations } from './views/operations.tsx'
import { Overview } from './views/overview.tsx'
import { Registers } from './views/registers.tsx'
import { Sources } from './views/sources.tsx'

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

function Page() {
  const { path } = useLocation()
  const before = useRef(path)
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    scrollTo(0, 0)
    // The next view is said and read from its top, as if the browser had loaded it.
    document.getElementById('content')?.focus({ preventScroll: true })
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
