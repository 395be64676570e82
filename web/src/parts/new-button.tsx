import { Icon } from './icon.tsx'
import { changeQuery } from './router.ts'

interface NewButtonProps {
  readonly what: 'token' | 'user'
  readonly look?: string
}

/**
 * A button that opens the form for a new token or user. The form is open while the address contains
 * `?new=token` or `?new=user`.
 */
export function NewButton({ what, look = '' }: NewButtonProps) {
  return (
    <button type="button" class={`button ${look}`} onClick={() => changeQuery({ new: what })}>
      <Icon name="plus" />
      New {what}
    </button>
  )
}
