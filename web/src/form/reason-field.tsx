import { useState } from 'preact/hooks'
import { TextField } from './text-field.tsx'

/** Whether the gateway asks for a reason. */
export type ReasonNeed = 'required' | 'optional' | null

export interface Reason {
  readonly need: ReasonNeed
  readonly text: string
  readonly type: (text: string) => void
  /** The problem with the reason, but only after the user has tried to run. */
  readonly problem: string | undefined
  /** Shows the problem. Returns true when there is none. */
  readonly check: () => boolean
  /** The part of a request. */
  readonly sent: () => { readonly reason?: string }
}

/** Asks people why they need a run, if the gateway asks for a reason. */
export function useReason(need: ReasonNeed): Reason {
  const [text, type] = useState('')
  const [isChecked, setChecked] = useState(false)
  const isGiven = need !== 'required' || text.trim() !== ''
  return {
    ...{ need, text, type },
    problem: isChecked && !isGiven ? 'Say why you need this. Nothing was sent.' : undefined,
    check: () => {
      setChecked(!isGiven)
      return isGiven
    },
    sent: () => (need === null ? {} : { reason: text }),
  }
}

/** The field of a reason; nothing if the gateway asks for none. */
export function ReasonField({ reason }: { readonly reason: Reason }) {
  const { need, text, type, problem } = reason
  if (need === null) return null
  return (
    <TextField
      label="Reason"
      hint="Why you need this. Approvers see the reason, and it stays with the session."
      value={text}
      onValue={type}
      problem={problem}
      required={need === 'required'}
      isMarked={need === 'required'}
    />
  )
}
