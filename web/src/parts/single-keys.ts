import { useLayoutEffect, useRef } from 'preact/hooks'

/** Key of the stored choice. Users of speech input switch single keys off. */
export const KEYS_OFF = 'runbook-page-no-shortcuts'

/** Whether the key is typed into a text field or a terminal. */
function isTyped(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input:not([type=checkbox]), textarea, select') ||
      target.isContentEditable ||
      target.closest('.terminal') !== null)
  )
}

/**
 * The field into which the last key was typed. If the page takes it away, because of news from elsewhere for example,
 * what the person goes on typing is a text and no command: one word has rejected the wrong request.
 */
let typedInto: HTMLElement | undefined
document.addEventListener(
  'keydown',
  ({ key, target }) => {
    const isField = isTyped(target)
    if (isField) typedInto = key === 'Enter' || key === 'Escape' ? undefined : (target as HTMLElement)
    else if (key === 'Tab' || key === 'Escape') typedInto = undefined
  },
  { capture: true },
)
document.addEventListener('pointerdown', () => (typedInto = undefined), { capture: true })

/**
 * Whether a key may act by itself now: not in a field, in a dialog, or together with other keys, nor after a field in
 * which the person types has gone.
 */
export function isSingleKey(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  if (typedInto?.isConnected === false) return false
  return !isTyped(event.target) && document.querySelector('dialog[open]') === null
}

/** Handles keys while the view is open. An action returns false if it does nothing. */
export function useSingleKeys(actions: Readonly<Record<string, () => unknown>>): void {
  const latest = useRef(actions)
  latest.current = actions
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined
      if (action === undefined || !isSingleKey(event) || localStorage.getItem(KEYS_OFF) !== null) return
      // The key would otherwise be typed into a field that the action opens.
      if (action() !== false) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}
