import sprite from '../look/icons.svg?raw'

interface IconProps {
  readonly name: IconName
  /** 16 pixels instead of 20, for chips and small buttons. */
  readonly small?: boolean
  readonly turning?: boolean
}

/** Hidden from screen readers, because the word beside the icon or the button's label says the same. */
export function Icon({ name, small = false, turning = false }: IconProps) {
  return (
    <svg
      class={`icon${small ? ' is-small' : ''}${turning ? ' is-turning' : ''}`}
      aria-hidden="true"
      focusable="false"
    >
      <use href={`#icon-${name}`} />
    </svg>
  )
}

/** An open book. The colour of the right page shows the state. */
export function Logo() {
  return (
    <svg class="logo" viewBox="3 4.4 18.8 16.2" aria-hidden="true" focusable="false">
      <path d="M3 4.4 10.8 7.6v13L3 17.4z" />
      <path class="state" d="M13.2 7.6 21.8 14.1l-8.6 6.5z" />
    </svg>
  )
}

/** Puts the drawings into the page, so that `use` finds one by name without a request to the gateway. */
export function placeSprite(): void {
  const drawings = new DOMParser().parseFromString(sprite, 'image/svg+xml').documentElement
  drawings.setAttribute('class', 'sprite')
  drawings.setAttribute('aria-hidden', 'true')
  // The prefix keeps ids of drawings apart from ids of other elements.
  for (const drawing of drawings.children) drawing.id = `icon-${drawing.id}`
  document.body.append(drawings)
}

/** test/web/parts/icon.test.ts compares these names with look/icons.svg. */
export type IconName =
  | 'home'
  | 'book'
  | 'sessions'
  | 'approve'
  | 'waves'
  | 'calendar'
  | 'plug'
  | 'agent'
  | 'key'
  | 'audit'
  | 'search'
  | 'menu'
  | 'fold'
  | 'user'
  | 'theme'
  | 'check'
  | 'cross'
  | 'wait'
  | 'run'
  | 'stop'
  | 'pause'
  | 'spin'
  | 'skip'
  | 'ban'
  | 'alert'
  | 'info'
  | 'lock'
  | 'download'
  | 'copy'
  | 'filter'
  | 'sort'
  | 'up'
  | 'down'
  | 'chevron'
  | 'follow'
  | 'wrap'
  | 'terminal'
  | 'database'
  | 'folder'
  | 'mark'
  | 'more'
  | 'again'
  | 'comment'
  | 'chart'
  | 'table'
  | 'diff'
  | 'eye'
  | 'leave'
  | 'help'
  | 'plus'
  | 'minus'
  | 'link'
  | 'script'
  | 'shield'
  | 'hide'
  | 'replay'
