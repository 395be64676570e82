import { useEffect, useState } from 'preact/hooks'
import { visible } from '../parts/visible.ts'
import { TextField } from './text-field.tsx'

export interface Confirmation {
  /** Undefined: nothing has to be typed. */
  readonly expected: string | undefined
  readonly typed: string
  readonly type: (text: string) => void
  /** The problem with the text, but only after the user has tried to run. */
  readonly problem: string | undefined
  /** Shows the problem. Returns true when there is none. */
  readonly check: () => boolean
}

/**
 * Asks people to type a text before a run, where the settings require this.
 * @param expected the text; undefined: nothing has to be typed
 */
export function useConfirmation(expected: string | undefined): Confirmation {
  const [typed, type] = useState('')
  const [isChecked, setChecked] = useState(false)
  useEffect(() => {
    type('')
    setChecked(false)
  }, [expected])
  const isGiven = expected === undefined || typed.trim() === expected
  return {
    ...{ expected, typed, type },
    problem: isChecked && !isGiven ? `Type ${visible(expected)} exactly. Nothing was sent.` : undefined,
    check: () => {
      setChecked(!isGiven)
      return isGiven
    },
  }
}

/** The field of a confirmation; nothing where nothing has to be typed. */
export function ConfirmationField({ confirmation }: { readonly confirmation: Confirmation }) {
  const { expected, typed, type, problem } = confirmation
  if (expected === undefined) return null
  return (
    <TextField
      label={`Type ${visible(expected)} to confirm`}
      value={typed}
      onValue={type}
      problem={problem}
      required
    />
  )
}

/** Moves the focus to the first field with a problem, after the problem is drawn. */
export function focusOnProblem(form: HTMLElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
}
