import type { ComponentChildren } from 'preact'
import type { Refused } from '../api/request.ts'
import { Dialog } from './dialog.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Problem } from './messages.tsx'

interface FormDialogProps {
  readonly title: ComponentChildren
  readonly error: Refused | undefined
  readonly onSubmit: () => void
  readonly onClose: () => void
  readonly action: string
  readonly icon?: IconName
  /** Whether the form cannot be submitted now. */
  readonly disabled: boolean
  /** Whether the focus begins at the button that submits. */
  readonly startsAtAction?: boolean
  /** A button for another change, at the other end of the row. */
  readonly other?: ComponentChildren
  readonly children: ComponentChildren
}

/** Has a form, a button that cancels and a button that submits. */
export function FormDialog(props: FormDialogProps) {
  const {
    title,
    error,
    onSubmit,
    onClose,
    action,
    icon,
    disabled,
    startsAtAction = false,
    other,
    children,
  } = props
  const submit = (event: Event) => {
    event.preventDefault()
    onSubmit()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        {error !== undefined && <Problem error={error} />}
        {children}
        <div class="line">
          {other}
          <button type="button" class="button push" onClick={onClose}>
            Cancel
          </button>
          <button class="button is-primary" autofocus={startsAtAction} disabled={disabled}>
            {icon !== undefined && <Icon name={icon} />}
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
