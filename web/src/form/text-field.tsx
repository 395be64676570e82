import type { TargetedEvent } from 'preact'
import { useId } from 'preact/hooks'
import { Icon } from '../parts/icon.tsx'

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly hint?: string
  readonly placeholder?: string
  readonly type?: 'text' | 'password'
  readonly required?: boolean
  /** Whether the label says that the field is required, in a form where other fields are optional. */
  readonly isMarked?: boolean
  readonly autoFocus?: boolean
  /** What is wrong with the value. */
  readonly problem?: string | undefined
}

/** A text field for the page's own forms. */
export function TextField({
  label,
  value,
  onValue,
  hint,
  placeholder,
  type = 'text',
  required,
  isMarked = false,
  autoFocus = false,
  problem,
}: TextFieldProps) {
  const id = useId()
  const common = {
    id,
    value,
    placeholder,
    dir: 'auto' as const,
    'aria-required': required,
    autofocus: autoFocus,
    'aria-invalid': problem !== undefined,
    'aria-describedby':
      [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`]
        .filter((part) => part !== false)
        .join(' ') || undefined,
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
      {problem !== undefined && (
        <p class="hint is-bad" id={`${id}-problem`}>
          <Icon name="alert" small />
          {problem}
        </p>
      )}
    </div>
  )
}
