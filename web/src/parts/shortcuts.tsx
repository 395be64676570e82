import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { go } from './router.ts'

/** Single keys, when no field has the focus; `g` and then a letter goes to a view. */
const PLACES: Readonly<Record<string, { readonly to: string; readonly name: string }>> = {
  r: { to: '/runbooks', name: 'Runbooks' },
  s: { to: '/sessions', name: 'Sessions' },
  a: { to: '/approvals', name: 'Approvals' },
  c: { to: '/connections', name: 'Connections' },
  b: { to: '/batches', name: 'Batches' },
  d: { to: '/schedules', name: 'Schedules' },
  e: { to: '/agents', name: 'Agents' },
}

/** A letter after `g` counts for so long. */
const SECOND_KEY_MS = 1500

/** The shortcuts, and the list of them under `?`. */
export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isEnabled, setEnabled] = useState(() => localStorage.getItem(OFF) === null)
  useKeys(dialog, isEnabled)
  const change = (isOn: boolean) => {
    if (isOn) localStorage.removeItem(OFF)
    else localStorage.setItem(OFF, '1')
    setEnabled(isOn)
  }
  return (
    <dialog ref={dialog} aria-labelledby="shortcuts-title" class="shortcuts">
      <h2 id="shortcuts-title">Keyboard shortcuts</h2>
      <dl class="about">
        <Key keys="?" name="this list" />
        <Key keys="/" name="the search field" />
        {Object.entries(PLACES).map(([key, { name }]) => (
          <Key key={key} keys={`g ${key}`} name={name} />
        ))}
        <Key keys="Enter, Shift+Enter" name="next or previous match, in the search of an output" />
        <Key keys="Ctrl+Shift+Escape" name="leaves a terminal" />
        <Key keys="Escape" name="closes this" />
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={isEnabled}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        Single keys do something
      </label>
      <form method="dialog">
        <button>Close</button>
      </form>
    </dialog>
  )
}

function useKeys(dialog: RefObject<HTMLDialogElement | null>, isEnabled: boolean): void {
  // At once: a key that comes before a later effect would be lost, or mean what it no longer means.
  useLayoutEffect(() => {
    let prefixAt = -Infinity
    const onKey = (event: KeyboardEvent) => {
      const { current } = dialog
      if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event.target)) return
      if (current?.open !== false || (!isEnabled && event.key !== '?')) return
      const place = performance.now() - prefixAt < SECOND_KEY_MS ? PLACES[event.key] : undefined
      prefixAt = event.key === 'g' ? performance.now() : -Infinity
      if (place !== undefined) go(place.to)
      else if (event.key === '?') current.showModal()
      else if (event.key === '/') focusSearch(event)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [dialog, isEnabled])
}

/** Kept in the browser: somebody who speaks to the machine does not want single keys. */
const OFF = 'runbook-page-no-shortcuts'

function Key({ keys, name }: { readonly keys: string; readonly name: string }) {
  return (
    <>
      <dt>
        <kbd>{keys}</kbd>
      </dt>
      <dd>{name}</dd>
    </>
  )
}

function focusSearch(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLElement>('[data-shortcut=search]')
  if (field === null) return
  event.preventDefault()
  field.focus()
}

/** Whether the key goes into something that is written there. */
function isTyped(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input:not([type=checkbox]), textarea, select') ||
      target.isContentEditable ||
      target.closest('.terminal') !== null)
  )
}
