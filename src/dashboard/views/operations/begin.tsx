// The dialog that begins a replay: what, of which register, how fast.

import { useId, useState } from 'preact/hooks'
import type { CallerAnswer } from '../../answers.ts'
import { go, useLocation, withParams } from '../../location.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { operations as words } from '../../strings.ts'
import { useAction } from './action.ts'
import { ActionFailure } from './action-failure.tsx'
import { ALL, beginReplay, choiceWord, focusReplay, type ReplayRequest } from './replays.ts'
import { mayOperate } from './rights.ts'

type Props = {
  projections: readonly string[]
  registers: readonly string[]
  access: CallerAnswer | undefined
  /** The register that is proposed; null: every one, where that is permitted. */
  register: string | null
  onClose: () => void
}

type FieldsProps = Pick<Props, 'projections' | 'registers' | 'access'> & {
  request: ReplayRequest
  change: (changes: Partial<ReplayRequest>) => void
}

function Fields({ projections, registers, access, request, change }: FieldsProps) {
  const id = useId()
  return (
    <>
      <label for={`${id}-projection`}>{words.dialog.projections}</label>
      <select
        id={`${id}-projection`}
        value={request.projection}
        onChange={({ currentTarget }) => change({ projection: currentTarget.value })}
      >
        <option value={ALL}>{words.dialog.all}</option>
        {projections.map((one) => (
          <option key={one} value={one}>
            {choiceWord(one)}
          </option>
        ))}
      </select>
      <label for={`${id}-register`}>{words.dialog.register}</label>
      <select
        id={`${id}-register`}
        value={request.register ?? ''}
        onChange={({ currentTarget }) => change({ register: currentTarget.value || null })}
      >
        {mayOperate(access, null) && <option value="">{words.dialog.allRegisters}</option>}
        {registers.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <label for={`${id}-rate`}>{words.dialog.maxRate}</label>
      <input
        id={`${id}-rate`}
        type="number"
        min="1"
        max="100000000"
        placeholder={words.dialog.maxRateHint}
        value={request.maxRate ?? ''}
        onInput={({ currentTarget }) => change({ maxRate: currentTarget.valueAsNumber || null })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={request.dropPrevious}
          onChange={({ currentTarget }) => change({ dropPrevious: currentTarget.checked })}
        />
        {words.dialog.dropPrevious}
      </label>
    </>
  )
}

export function BeginReplay({ projections, registers, access, register, onClose }: Props) {
  const place = useLocation()
  const action = useAction()
  const permitted = registers.filter((one) => mayOperate(access, one))
  const proposed = register ?? (mayOperate(access, null) ? null : (permitted[0] ?? null))
  const [request, setRequest] = useState<ReplayRequest>({
    projection: ALL,
    register: proposed,
    maxRate: null,
    dropPrevious: false,
  })
  const start = async () => {
    const { id } = await beginReplay(request)
    go(withParams(place, { operation: id }), { replace: true })
    onClose()
    focusReplay()
  }
  return (
    <Dialog title={words.dialog.title} onClose={onClose}>
      <p class="note">{words.dialog.explain}</p>
      <form
        class="begin"
        onSubmit={(event) => {
          event.preventDefault()
          action.run(start)
        }}
      >
        <Fields
          projections={projections}
          registers={permitted}
          access={access}
          request={request}
          change={(changes) => setRequest((before) => ({ ...before, ...changes }))}
        />
        <ActionFailure of={action} />
        <div class="dialog-foot">
          <button type="button" onClick={onClose}>
            {words.dialog.close}
          </button>
          <button type="submit" class="primary" disabled={action.isBusy}>
            {action.isBusy ? words.dialog.starting : words.dialog.start}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
