import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

interface Toast {
  readonly id: number
  readonly text: string
  readonly icon: IconName
  readonly tone: 'good' | 'bad' | 'wait' | 'live'
  /** Address of a view with more details. */
  readonly to?: string
}

/** Maximum number of toasts. One more toast removes the oldest one. */
const MAX_TOASTS = 3
/**
 * Time in ms for which a toast is shown. It is enough to read two lines. A toast stays longer while the
 * pointer or the focus is in one of the toasts.
 */
const SHOWN_MS = 10_000

const toasts = signal<readonly Toast[]>([])
let lastId = 0

/** Reports the result of an action, or an event in another view. */
export function toast(text: string, about: Partial<Omit<Toast, 'id' | 'text'>> = {}): void {
  const added = { id: ++lastId, text, icon: 'check', tone: 'good', ...about } as const
  toasts.value = [...toasts.value, added].slice(-MAX_TOASTS)
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-label="Messages">
      {toasts.value.map((one) => (
        <ToastCard toast={one} key={one.id} />
      ))}
    </div>
  )
}

function ToastCard({ toast: { id, text, icon, tone, to } }: { readonly toast: Toast }) {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.querySelector('.toasts:is(:hover, :focus-within)') === null) drop(id)
    }, SHOWN_MS)
    return () => clearInterval(timer)
  }, [id])
  return (
    <div class="toast">
      <span class={`is-${tone}`}>
        <Icon name={icon} />
      </span>
      <span dir="auto">{text}</span>
      {to !== undefined && (
        <a class="button is-quiet is-small" href={to} onClick={() => drop(id)}>
          Show
        </a>
      )}
      <button
        type="button"
        class="button is-quiet is-small is-icon"
        aria-label="Close"
        title="Close"
        onClick={() => drop(id)}
      >
        <Icon name="cross" small />
      </button>
    </div>
  )
}
