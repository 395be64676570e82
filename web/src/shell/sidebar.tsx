import { signal } from '@preact/signals'
import { Fragment } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon, Logo } from '../parts/icon.tsx'
import { path } from '../parts/router.ts'
import { waitingForMe } from './mine.tsx'
import { isAt, isForPerson, PLACES, type Place } from './places.ts'

const KEPT = 'runbook-page-sidebar'
/** Matches a window that is wide enough for an unfolded sidebar. styles/narrow.css has the same width. */
const ROOMY = matchMedia('(min-width: 68.01rem)')

/** The user's choice. As long as it is undefined, the width of the window decides. */
const chosen = signal(keptChoice())
const isRoomy = signal(ROOMY.matches)
ROOMY.addEventListener('change', () => (isRoomy.value = ROOMY.matches))

function keptChoice(): 'folded' | 'unfolded' | undefined {
  const kept = localStorage.getItem(KEPT)
  return kept === 'folded' || kept === 'unfolded' ? kept : undefined
}

/** Returns the class of the frame. The first column of the frame is the sidebar. */
export function sidebarClass(): string {
  return chosen.value === undefined ? 'shell' : `shell is-${chosen.value}`
}

/** Draws the sidebar as a column beside the content. On a phone, it is a drawer. */
export function Sidebar() {
  const nav = useRef<HTMLElement>(null)
  const pathname = path.value
  useEffect(() => {
    if (nav.current?.matches(':popover-open') === true) nav.current.hidePopover()
  }, [pathname])
  const isFolded = chosen.value === undefined ? !isRoomy.value : chosen.value === 'folded'
  const fold = () => {
    chosen.value = isFolded ? 'unfolded' : 'folded'
    localStorage.setItem(KEPT, chosen.value)
  }
  return (
    <nav class="side" id="side" popover="auto" aria-label="Main" ref={nav}>
      <Brand />
      {PLACES.map(({ heading, places }) => {
        const shown = places.filter(isForPerson)
        return (
          <Fragment key={heading}>
            {heading !== undefined && shown.length > 0 && <h2>{heading}</h2>}
            {shown.map((place) => (
              <PlaceLink key={place.to} place={place} />
            ))}
          </Fragment>
        )
      })}
      <button type="button" class="place only-wide" aria-expanded={!isFolded} onClick={fold}>
        <Icon name="fold" />
        Sidebar
      </button>
    </nav>
  )
}

export function Brand({ isForPhone = false }: { readonly isForPhone?: boolean }) {
  return (
    <a class={isForPhone ? 'brand only-phone' : 'brand'} href="/" aria-label="runbook-agent, home">
      <Logo />
      {!isForPhone && <span>runbook-agent</span>}
    </a>
  )
}

function PlaceLink({ place }: { readonly place: Place }) {
  const { to, name, icon } = place
  const count = to === '/approvals' ? waitingForMe.value.length : 0
  return (
    <a
      class="place"
      href={to}
      aria-current={isAt(place, path.value) ? 'page' : undefined}
      aria-label={count > 0 ? `${name}, ${count} waiting` : undefined}
    >
      <Icon name={icon} />
      {name} {count > 0 && <span class="count push">{count > 99 ? '99+' : count}</span>}
    </a>
  )
}
