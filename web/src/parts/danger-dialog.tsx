import type { ComponentChildren } from 'preact'
import type { Refused } from '../api/request.ts'
import { Dialog } from './dialog.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Problem } from './messages.tsx'

interface DangerDialogProps {
  readonly title: ComponentChildren
  readonly busy: boolean
  readonly error: Refused | undefined
  /** Text of the button that changes nothing, such as "Keep it". */
  readonly keep: string
  readonly icon: IconName
  /** Text of the button that makes the change, such as "Revoke token". */
  readonly action: string
  readonly onAct: () => void
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Asks before a change that ends or removes something. */
export function DangerDialog(props: DangerDialogProps) {
  const { title, busy, error, keep, icon, action, onAct, onClose, children } = props
  return (
    <Dialog title={title} onClose={onClose}>
      {error !== undefined && <Problem error={error} />}
      {children}
      <div class="line">
        <button type="button" class="button push" onClick={onClose}>
          {keep}
        </button>
        <button type="button" class="button is-danger" disabled={busy} onClick={onAct}>
          <Icon name={icon} />
          {action}
        </button>
      </div>
    </Dialog>
  )
}
