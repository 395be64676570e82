import { signal } from '@preact/signals'
import mark from '../look/mark.svg?url'
import { person } from '../api/person.ts'
import { go } from '../parts/router.ts'

// Notifications of the browser. They are off until the person switches them on. They contain only names and
// states, never parameters, scripts or output, because a locked screen may show them.

/** `missing` means that the browser offers no notifications here, for example for a page without TLS. */
type Notices = 'off' | 'on' | 'blocked' | 'missing'

const notices = signal<Notices>('off')
const ON = 'runbook-page-notices'
const TOLD = 'runbook-page-told'
/** Maximum number of remembered events. Other tabs do not report a remembered event again. */
const MAX_TOLD_EVENTS = 200

/** Each person has a key of their own in the browser's storage. */
function keyOfChoice(): string {
  return `${ON} ${person.peek()?.name ?? ''}`
}

/** Call this before the switch is shown, because the browser's permission may have changed. */
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
  /** Events with the same id are shown once for all tabs. */
  readonly id: string
  readonly title: string
  readonly body: string
  readonly to: string
}

/** Does nothing unless the person has switched notifications on. */
export function notify(notice: Notice): void {
  if (current() !== 'on') return
  void navigator.locks.request(TOLD, () => {
    const told = toldBefore()
    if (told.includes(notice.id)) return
    localStorage.setItem(TOLD, JSON.stringify([notice.id, ...told].slice(0, MAX_TOLD_EVENTS)))
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

/** Browsers on phones accept notifications only from service workers, which the page does not have. */
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
  on: 'For requests that wait for you, and for your runs that end while this page is hidden.',
  off: 'For requests that wait for you, and for your runs that end while this page is hidden.',
  blocked: "The browser blocks notifications. Allow notifications for this site in the browser's settings.",
  missing: 'This browser shows no notifications for this page.',
}

/** The browser asks for permission only when the person uses the switch. */
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
            // The switch shows what the browser has allowed, which may differ from the click.
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
