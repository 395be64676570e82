import { useState } from 'preact/hooks'
import type { Budget } from '../../api/types.ts'
import { Choice } from '../../form/choice.tsx'
import { TextField } from '../../form/text-field.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { Note } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { exactSize, sizeIn, SPANS, spanText } from './budget.ts'
import type { AboutUserProps } from './change-groups.tsx'

interface Typed {
  readonly runs: string
  readonly bytes: string
  readonly hours: string
  readonly per: string
}

function typedOf(budget: Budget | null): Typed {
  if (budget === null) return { runs: '100', bytes: '', hours: '', per: '86400' }
  const { runs, bytes, hours, per } = budget
  return {
    runs: String(runs),
    bytes: bytes === null ? '' : exactSize(bytes),
    hours: hours === null ? '' : String(hours),
    per: String(per),
  }
}

function problemIn({ runs, bytes, hours }: Typed): string | undefined {
  if (!/^[1-9]\d{0,4}$/.test(runs.trim())) return 'Runs: a whole number from 1 to 10000 is expected.'
  if (bytes.trim() !== '' && (sizeIn(bytes) ?? 0) < 1)
    return 'Output: a size such as 1GiB or 500MiB is expected.'
  if (hours.trim() !== '' && !(Number(hours) >= 0.001))
    return 'Hours of running: a number of at least 0.001 is expected.'
  return undefined
}

function sent({ runs, bytes, hours, per }: Typed): object {
  return {
    runs: Number(runs),
    per: Number(per),
    ...(bytes.trim() !== '' && { bytes: sizeIn(bytes) }),
    ...(hours.trim() !== '' && { hours: Number(hours) }),
  }
}

/** A form for a machine's budget: the number of runs, bytes and hours in a period. */
export function BudgetForm({ user: { name, budget }, busy, error, make, onClose }: AboutUserProps) {
  const [typed, setTyped] = useState(() => typedOf(budget))
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const set = (changed: Partial<Typed>) => setTyped((before) => ({ ...before, ...changed }))
  const save = (next: object | null) =>
    make({ method: 'PUT', path: `/api/users/${encodeURIComponent(name)}`, body: { budget: next } })
  const submit = () => {
    const found = problemIn(typed)
    setProblem(found)
    if (found === undefined) save(sent(typed))
  }
  const spans = [...SPANS, ...(isUsual(typed.per) ? [] : [[typed.per, spanText(Number(typed.per))] as const])]
  return (
    <FormDialog
      title={
        <>
          Budget of <Name>{name}</Name>
        </>
      }
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action="Save"
      disabled={busy}
      other={
        budget !== null && (
          <button type="button" class="button is-danger-quiet" disabled={busy} onClick={() => save(null)}>
            Remove the budget
          </button>
        )
      }
    >
      {problem !== undefined && (
        <Note tone="bad" role="alert">
          {problem}
        </Note>
      )}
      <div class="pair">
        <TextField label="Runs" value={typed.runs} onValue={(runs) => set({ runs })} required autoFocus />
        <Choice label="Period" value={typed.per} onValue={(per) => set({ per })} options={spans} />
        <TextField
          label="Output"
          hint="Such as 1GiB; empty for no limit."
          value={typed.bytes}
          onValue={(bytes) => set({ bytes })}
        />
        <TextField
          label="Hours of running"
          hint="Empty for no limit."
          value={typed.hours}
          onValue={(hours) => set({ hours })}
        />
      </div>
    </FormDialog>
  )
}

function isUsual(per: string): boolean {
  return SPANS.some(([span]) => span === per)
}
