// What an event says, field by field, in words.

import type { ComponentChildren } from 'preact'
import type { RegisterAnswer } from '../answers.ts'
import { formatNumber } from '../format.ts'
import { pathOf } from '../route.ts'
import { FIELD_KINDS, FIELD_WORDS, FIGURE_WORDS, MEANS_WORDS, commitment as words } from '../strings.ts'
import { WebLink } from './citations.tsx'
import { Imprecise, Instant } from './dates.tsx'
import { Link, useHref } from './link.tsx'

type Data = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (value === null) return words.cleared
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  if (!isRecord(value)) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name} ${textOf(one)}`)
    .join(', ')
}

function Programme({ register, id }: { register: RegisterAnswer; id: string }) {
  const href = useHref()
  return <Link href={href(pathOf(register.id, 'commitments'), { programme: id })}>{id}</Link>
}

function partiesText(register: RegisterAnswer, value: readonly unknown[]): string {
  const names = new Map(register.parties.map(({ id, name }) => [id, name]))
  return value.map((one) => (isRecord(one) ? `${one.name} (${one.id})` : (names.get(String(one)) ?? one))).join(', ')
}

/** One field's value as a reader would write it; whatever has no form of its own is shown as it stands. */
function Value({ register, name, value }: { register: RegisterAnswer; name: string; value: unknown }) {
  const kind = FIELD_KINDS[name]
  if (typeof value !== 'string') {
    if (kind === 'party' && Array.isArray(value)) return <>{partiesText(register, value)}</>
    return <>{textOf(value)}</>
  }
  if (kind === 'date') return <Imprecise date={{ value }} />
  if (kind === 'party') return <>{partiesText(register, [value])}</>
  if (name === 'retrievedAt') return <Instant at={value} />
  if (name === 'url' || name === 'archivedUrl') return <WebLink url={value}>{value}</WebLink>
  if (kind === 'programme') return <Programme register={register} id={value} />
  if (name === 'figure') return <>{FIGURE_WORDS[value] ?? value}</>
  if (name === 'means') return <>{MEANS_WORDS[value] ?? value}</>
  return <>{value}</>
}

type Props = {
  register: RegisterAnswer
  data: Data
  /** Fields that stand elsewhere. */
  without?: readonly string[]
  children?: ComponentChildren
}

/** The fields of an event's data; nothing where there is none. */
export function EventData({ register, data, without = [] }: Props) {
  const fields = Object.entries(data).filter(([name]) => !without.includes(name))
  if (fields.length === 0) return null
  return (
    <dl class="fields">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{FIELD_WORDS[name] ?? name}</dt>
          <dd>
            <Value register={register} name={name} value={value} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
