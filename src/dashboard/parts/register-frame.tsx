// What stands around every view of a register: its name, its views, the two clocks.

import type { ComponentChildren } from 'preact'
import type { RegisterAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { pathOf, REGISTER_VIEWS, type RegisterView } from '../route.ts'
import { shell } from '../strings.ts'
import { ClockBar } from './clock-bar.tsx'
import { Shown } from './frame.tsx'
import { Link, useHref } from './link.tsx'

type Props = {
  register: string
  /** The view whose tab is marked; of a commitment that of the list. */
  view: RegisterView
  /** Views that have clocks of their own leave the control out. */
  hasClocks?: boolean
  children: (register: RegisterAnswer) => ComponentChildren
}

export function RegisterFrame({ register, view, hasClocks = true, children }: Props) {
  const resource = useResource<RegisterAnswer>(`/v1/registers/${encodeURIComponent(register)}`)
  const href = useHref()
  return (
    <Shown of={resource} title={register}>
      {(data) => (
        <>
          <nav class="tabs" aria-label={data.title}>
            <Link
              href={href(pathOf(register))}
              class={view === 'overview' ? 'register-name is-headed' : 'register-name'}
            >
              {data.title}
            </Link>
            <ul>
              {REGISTER_VIEWS.map((one) => (
                <li key={one}>
                  <Link href={href(pathOf(register, one))} aria-current={one === view ? 'page' : undefined}>
                    {shell.views[one]}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          {hasClocks && <ClockBar register={data} />}
          {children(data)}
        </>
      )}
    </Shown>
  )
}
