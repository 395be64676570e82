import { person } from '../api/person.ts'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/text.tsx'
import { ThemeButton } from '../parts/theme.tsx'
import { visible } from '../parts/visible.ts'
import { leave } from './leave.ts'
import { runningOfMine } from './mine.tsx'
import { lookAtNotices, NoticeSwitch } from './notices.tsx'
import { openPalette } from './palette-state.ts'
import { showShortcuts } from './shortcuts.tsx'
import { Brand } from './sidebar.tsx'

export function Topbar() {
  const running = runningOfMine.value.length
  return (
    <header class="top">
      <button
        type="button"
        class="button is-quiet is-icon only-phone"
        popovertarget="side"
        aria-label="Menu"
        title="Menu"
      >
        <Icon name="menu" />
      </button>
      <Brand isForPhone />
      <button type="button" class="find" onClick={openPalette} aria-label="Search everything, Ctrl K">
        <Icon name="search" />
        <span class="only-wide">Search everything…</span>
        <kbd class="only-wide">Ctrl K</kbd>
      </button>
      <span class="push" />
      {running > 0 && (
        <a
          class="chip is-live only-wide"
          href={`/sessions?user=${encodeURIComponent(person.value?.name ?? '')}`}
        >
          <Icon name="spin" small turning />
          {running} running
        </a>
      )}
      <UserMenu />
    </header>
  )
}

function UserMenu() {
  const { name = '', role = '', groups = [] } = person.value ?? {}
  const about = [role, ...groups.filter((group) => group !== role)].join(', ')
  return (
    <>
      <button
        type="button"
        class="button is-quiet is-icon"
        popovertarget="person"
        aria-label={`${initials(name)}: ${visible(name)}, your menu`}
        title={visible(name)}
      >
        <span class="avatar">{initials(name)}</span>
      </button>
      <div
        class="menu"
        id="person"
        popover="auto"
        role="group"
        aria-label="Your menu"
        onClick={closeMenu}
        onToggle={lookAtNotices}
      >
        <p class="small">
          <strong>
            <Name>{name}</Name>
          </strong>
          <br />
          <span class="soft" dir="auto">
            {visible(about)}
          </span>
        </p>
        <hr />
        <a class="button is-quiet" href="/tokens">
          <Icon name="key" />
          My tokens
        </a>
        <ThemeButton />
        <NoticeSwitch />
        <button type="button" class="button is-quiet" onClick={showShortcuts}>
          <Icon name="help" />
          Keyboard shortcuts
        </button>
        <button type="button" class="button is-quiet" onClick={leave}>
          <Icon name="leave" />
          Sign out
        </button>
      </div>
    </>
  )
}

/**
 * Closes the menu after a choice. The menu stays open after a choice of theme, because users try several
 * themes.
 */
function closeMenu(event: Event): void {
  const { currentTarget: menu, target } = event
  if (!(menu instanceof HTMLElement && target instanceof Element)) return
  if (target.closest('button, a') !== null && target.closest('.theme') === null) menu.hidePopover()
}

/** Returns initials: `SL` for `Sue Lindqvist` and `sue.lindqvist@shop.example`, `AD` for `admin`. */
function initials(name: string): string {
  const [first = '', second] = name
    .replace(/@.*/, '')
    .split(/[\s._+-]+/)
    .filter(Boolean)
  const letters = second === undefined ? first.slice(0, 2) : first.charAt(0) + second.charAt(0)
  return letters.toUpperCase()
}
