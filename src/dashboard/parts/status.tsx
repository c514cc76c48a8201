// The three axes of a status: a word and a shape each, so that colour only adds to what is said.

import type { CommitmentAnswer } from '../answers.ts'
import { LIFECYCLE_WORDS, SCHEDULE_WORDS, uncertainly, VERIFICATION_WORDS } from '../strings.ts'

export type Tone = 'good' | 'late' | 'bad' | 'warn' | 'doubt' | 'calm' | 'gone'

const LIFECYCLE_TONES: Record<CommitmentAnswer['lifecycle'], Tone> = {
  open: 'calm',
  suspended: 'gone',
  delivered: 'good',
  partiallyDelivered: 'warn',
  notDelivered: 'bad',
  withdrawn: 'gone',
  superseded: 'gone',
}

const SCHEDULE_TONES: Record<CommitmentAnswer['schedule']['current'], Tone> = {
  closed: 'gone',
  noDueDate: 'gone',
  deliveredOnTime: 'good',
  deliveredLate: 'warn',
  late: 'late',
  forecastLate: 'warn',
  onSchedule: 'calm',
}

const VERIFICATION_TONES: Record<CommitmentAnswer['verification'], Tone> = {
  none: 'gone',
  claimed: 'calm',
  verified: 'good',
  disputed: 'doubt',
}

/** A shape for each tone: told apart without colour. */
const SHAPES: Record<Tone, string> = {
  good: 'M2.5 6.5 5 9l4.5-6',
  late: 'M6 1.5v5.2M6 9.6v.4',
  bad: 'M3 3l6 6M9 3l-6 6',
  warn: 'M6 2 10.5 10h-9z',
  doubt: 'M4 4.2a2 2 0 1 1 2.6 2c-.4.2-.6.4-.6 1M6 9.8v.2',
  calm: 'M6 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  gone: 'M2.5 6h7',
}

export function Badge({ tone, children, title }: { tone: Tone; children: string; title?: string }) {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={SHAPES[tone]} />
      </svg>
      {children}
    </span>
  )
}

export function lifecycleTone(of: CommitmentAnswer['lifecycle']): Tone {
  return LIFECYCLE_TONES[of]
}

export function scheduleTone(of: CommitmentAnswer['schedule']['current']): Tone {
  return SCHEDULE_TONES[of]
}

export function verificationTone(of: CommitmentAnswer['verification']): Tone {
  return VERIFICATION_TONES[of]
}

export function Lifecycle({ of }: { of: CommitmentAnswer['lifecycle'] }) {
  return <Badge tone={LIFECYCLE_TONES[of]}>{LIFECYCLE_WORDS[of]}</Badge>
}

export function Schedule({
  of,
  isUncertain = false,
}: {
  of: CommitmentAnswer['schedule']['current']
  isUncertain?: boolean
}) {
  const word = SCHEDULE_WORDS[of]
  return <Badge tone={SCHEDULE_TONES[of]}>{isUncertain ? uncertainly(word) : word}</Badge>
}

export function Verification({ of }: { of: CommitmentAnswer['verification'] }) {
  return <Badge tone={VERIFICATION_TONES[of]}>{VERIFICATION_WORDS[of]}</Badge>
}
