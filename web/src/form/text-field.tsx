import { useId } from 'preact/hooks'

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly hint?: string
  readonly type?: 'text' | 'password' | 'date' | 'number'
  readonly required?: boolean
}

/** A field of the page's own, labelled in words. */
export function TextField({ label, value, onValue, hint, type = 'text', required }: TextFieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input
        id={id}
        // Preact's types want one of them at a time.
        type={type as 'text'}
        value={value}
        dir="auto"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        aria-required={required}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </div>
  )
}
