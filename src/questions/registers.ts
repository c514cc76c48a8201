// Registers: what each of them is now.

import { z } from 'zod'
import { redactedInRegister } from '../domain/register/state.ts'
import { UnreadableEventError } from '../domain/repairs.ts'
import { instantText } from '../kernel/instant.ts'
import { type KnownRegister, type RegisterLog, stateKnownAt } from '../registers/registers.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const partyAnswer = z.strictObject({
  id: z.string().meta({ description: 'The id of the party' }),
  name: z.string().meta({ description: 'The name of the party' }),
})

export const registerAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id of the register, as in its addresses' }),
    title: z.string().meta({ description: 'The title of the register' }),
    parties: z.array(partyAnswer).meta({ description: 'The parties that the register defines, as last defined' }),
    timeZone: z.string().meta({ description: 'The IANA time zone in which the register reckons days' }),
    size: z.int().meta({ description: 'How many events the register holds' }),
    recordedAt: z
      .string()
      .nullable()
      .meta({ description: 'When the last event was recorded, in UTC; null without events' }),
    ...redactedAnswer,
  })
  .meta({ id: 'Register', description: 'A register as it is now' })
export type RegisterAnswer = z.output<typeof registerAnswer>

/** A register as answers give it, at its head. */
export function answerRegister({ register, head, state }: KnownRegister): RegisterAnswer {
  const parties = [...state.parties.values()].flatMap((definitions) => definitions.at(-1)?.data ?? [])
  return {
    id: register,
    title: state.title,
    parties,
    timeZone: state.timeZone,
    size: head.size,
    recordedAt: head.recordedAt === null ? null : instantText(head.recordedAt),
    ...answerRedacted(redactedInRegister(state, ['title', 'timeZone', 'parties'])),
  }
}

/** The register; where an event of its own cannot be read, as it was before that: the others are to be listed all the same. */
function readable(log: RegisterLog): KnownRegister {
  const { state } = log
  return { ...log, state: state instanceof UnreadableEventError ? stateKnownAt(log, state.position) : state }
}

/** Each of some registers, in the order given; those that are not there are left out. */
export async function readRegisters(
  { db, registers }: Pick<QuestionContext, 'db' | 'registers'>,
  ids: readonly string[],
): Promise<RegisterAnswer[]> {
  const items = []
  for (const id of ids) {
    const known = await registers.log(db, id)
    if (known) items.push(answerRegister(readable(known)))
  }
  return items
}
