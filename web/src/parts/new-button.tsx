import { Icon } from './icon.tsx'
import { changeQuery } from './router.ts'

interface NewButtonProps {
  readonly what: 'token' | 'user'
  readonly look?: string
}

/** Opens the form for a new token or user: `?new=token` in the address. */
export function NewButton({ what, look = '' }: NewButtonProps) {
  return (
    <button type="button" class={`button ${look}`} onClick={() => changeQuery({ new: what })}>
      <Icon name="plus" />
      New {what}
    </button>
  )
}
