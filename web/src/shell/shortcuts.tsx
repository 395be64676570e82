import { signal } from '@preact/signals'
import { useLayoutEffect, useState } from 'preact/hooks'
import { Dialog } from '../parts/dialog.tsx'
import { go } from '../parts/router.ts'
import { isSingleKey, KEYS_OFF } from '../parts/single-keys.ts'
import { openPalette } from './palette-state.ts'
import { ALL_PLACES, type Place } from './places.ts'

/**
 * The views by the second key of their shortcut. The first key is `g`. Single keys work when no field has the
 * focus.
 */
const PLACES = new Map<string, Place>(
  ALL_PLACES.flatMap((place) => (place.key === undefined ? [] : [[place.key, place] as const])),
)

const isAsked = signal(false)

export function showShortcuts(): void {
  isAsked.value = true
}

const SECOND_KEY_MS = 1500

/** Handles the shortcuts, and shows their list after `?`. */
export function Shortcuts() {
  const [isEnabled, setEnabled] = useState(() => localStorage.getItem(KEYS_OFF) === null)
  useKeys(isEnabled)
  if (!isAsked.value) return null
  const close = () => (isAsked.value = false)
  const change = (isOn: boolean) => {
    if (isOn) localStorage.removeItem(KEYS_OFF)
    else localStorage.setItem(KEYS_OFF, '1')
    setEnabled(isOn)
  }
  return (
    <Dialog title="Keyboard shortcuts" onClose={close}>
      <dl class="keys">
        <Key keys="Ctrl+K" name="search everything" />
        <Key keys="?" name="this list" />
        <Key keys="/" name="the search field of the view" />
        {[...PLACES].map(([key, { name }]) => (
          <Key key={key} keys={`g ${key}`} name={name} />
        ))}
        <Key keys="j, k" name="next or previous request, in approvals" />
        <Key keys="a, r" name="approve or reject the request, after a question" />
        <Key keys="Enter, Shift+Enter" name="next or previous match, in the search of an output" />
        <Key keys="Ctrl+Shift+Escape" name="leave a terminal" />
        <Key keys="Escape" name="close this list" />
      </dl>
      <label class="tick">
        <input
          type="checkbox"
          checked={isEnabled}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        Use single-key shortcuts
      </label>
      <div class="line">
        <button type="button" class="button push" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function useKeys(isEnabled: boolean): void {
  // A layout effect runs earlier than a normal effect. A key that is pressed before a normal effect runs
  // would be lost, or would have its old meaning.
  useLayoutEffect(() => {
    let prefixAt = -Infinity
    const onKey = (event: KeyboardEvent) => {
      if (isPaletteKey(event)) {
        event.preventDefault()
        openPalette()
        return
      }
      if (!isSingleKey(event) || (!isEnabled && event.key !== '?')) return
      const place = performance.now() - prefixAt < SECOND_KEY_MS ? PLACES.get(event.key) : undefined
      prefixAt = event.key === 'g' ? performance.now() : -Infinity
      if (place !== undefined) {
        // The second key must not act in the open view, too.
        event.preventDefault()
        go(place.to)
      } else if (event.key === '?') showShortcuts()
      else if (event.key === '/') focusSearch(event)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [isEnabled])
}

/** Whether the key opens the search. In a terminal, Ctrl+K belongs to the shell. */
function isPaletteKey(event: KeyboardEvent): boolean {
  const isInTerminal = event.target instanceof Element && event.target.closest('.terminal') !== null
  return (
    (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k' && !isInTerminal
  )
}

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
