import { TextField } from './text-field.tsx'

/** Whether the gateway asks for a reason. */
export type ReasonNeed = 'required' | 'optional' | null

interface ReasonFieldProps {
  readonly need: ReasonNeed
  readonly value: string
  readonly onValue: (value: string) => void
}

/** Asks why the user needs the run. Shows nothing if the gateway asks for no reason. */
export function ReasonField({ need, value, onValue }: ReasonFieldProps) {
  if (need === null) return null
  const isRequired = need === 'required'
  return (
    <TextField
      label="Reason"
      hint="Why you need this. Approvers see the reason, and it stays with the session."
      value={value}
      onValue={onValue}
      required={isRequired}
      isMarked={isRequired}
    />
  )
}

/** Tells whether a request with this reason would be refused. */
export function lacksReason(need: ReasonNeed, value: string): boolean {
  return need === 'required' && value.trim() === ''
}
