import { signal } from '@preact/signals'
import mark from '../look/mark.svg?url'
import { person } from '../api/person.ts'
import { go } from '../parts/router.ts'

// Notifications of the browser: off until the person asks for them. They have names and states, and nothing of
// parameters, scripts or output: they may be shown on a locked screen.

/** `missing`: the browser has none here, as for pages that came without TLS. */
type Notices = 'off' | 'on' | 'blocked' | 'missing'

const notices = signal<Notices>('off')
const ON = 'runbook-page-notices'
const TOLD = 'runbook-page-told'
/** Events that are remembered, so that no other tab tells them again. */
const MOST_TOLD = 200

/** The choice is the person's: the next one who signs in here has not asked for any. */
function keyOfChoice(): string {
  return `${ON} ${person.peek()?.name ?? ''}`
}

/** What the browser allows may have changed: call it before the switch is shown. */
export function lookAtNotices(): void {
  notices.value = current()
}

function current(): Notices {
  if (!window.isSecureContext || !('Notification' in window) || !('locks' in navigator)) return 'missing'
  if (Notification.permission === 'denied') return 'blocked'
  return Notification.permission === 'granted' && localStorage.getItem(keyOfChoice()) !== null ? 'on' : 'off'
}

async function choose(isWanted: boolean): Promise<void> {
  if (isWanted) await Notification.requestPermission()
  if (isWanted && Notification.permission === 'granted') localStorage.setItem(keyOfChoice(), 'on')
  else localStorage.removeItem(keyOfChoice())
  lookAtNotices()
}

interface Notice {
  /** Told once, whatever the number of tabs. */
  readonly id: string
  readonly title: string
  readonly body: string
  /** Where a click leads. */
  readonly to: string
}

/** Tells a person who has asked for it. */
export function notify(notice: Notice): void {
  if (current() !== 'on') return
  void navigator.locks.request(TOLD, () => {
    const told = toldBefore()
    if (told.includes(notice.id)) return
    localStorage.setItem(TOLD, JSON.stringify([notice.id, ...told].slice(0, MOST_TOLD)))
    show(notice)
  })
}

function toldBefore(): readonly unknown[] {
  try {
    const told: unknown = JSON.parse(localStorage.getItem(TOLD) ?? '[]')
    return Array.isArray(told) ? told : []
  } catch {
    return []
  }
}

/** Browsers of phones take notifications from service workers alone, and the page has none. */
function show({ id, title, body, to }: Notice): void {
  try {
    const shown = new Notification(title, { body, tag: id, icon: mark })
    shown.onclick = () => {
      window.focus()
      go(to)
      shown.close()
    }
  } catch {
    notices.value = 'missing'
  }
}

const HINTS: Readonly<Record<Notices, string>> = {
  on: 'What waits for you, and runs that end while you look elsewhere.',
  off: 'What waits for you, and runs that end while you look elsewhere.',
  blocked: 'The browser blocks them: allow notifications in its settings for this site.',
  missing: 'This browser shows none here.',
}

/** The switch in the user menu. The browser asks for its permission only now. */
export function NoticeSwitch() {
  const state = notices.value
  return (
    <>
      <label class="tick menu-choice">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          aria-describedby="notices-hint"
          checked={state === 'on'}
          disabled={state === 'missing'}
          onChange={({ currentTarget }) => {
            const { checked } = currentTarget
            // Checked is what the browser has allowed, not what was clicked.
            currentTarget.checked = state === 'on'
            void choose(checked)
          }}
        />
        Notifications
      </label>
      <p
        id="notices-hint"
        class={state === 'blocked' ? 'hint is-bad menu-choice' : 'hint menu-choice'}
        role="status"
      >
        {HINTS[state]}
      </p>
    </>
  )
}
