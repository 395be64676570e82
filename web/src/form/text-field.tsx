import type { TargetedEvent } from 'preact'
import { useId } from 'preact/hooks'

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly hint?: string
  readonly type?: 'text' | 'password'
  readonly required?: boolean
  /** Whether the label says that the field is required, in a form where other fields are optional. */
  readonly isMarked?: boolean
  readonly autoFocus?: boolean
}

/** A text field for the page's own forms. */
export function TextField({
  label,
  value,
  onValue,
  hint,
  type = 'text',
  required,
  isMarked = false,
  autoFocus = false,
}: TextFieldProps) {
  const id = useId()
  const common = {
    id,
    value,
    dir: 'auto' as const,
    'aria-required': required,
    autofocus: autoFocus,
    'aria-describedby': hint === undefined ? undefined : `${id}-hint`,
    onInput: (event: TargetedEvent<HTMLInputElement>) => onValue(event.currentTarget.value),
  }
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isMarked && <span class="soft"> required</span>}
      </label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {type === 'password' ? (
        <input {...common} type="password" autoComplete="off" />
      ) : (
        <input {...common} type="text" />
      )}
    </div>
  )
}
