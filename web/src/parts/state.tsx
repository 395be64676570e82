import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.tsx'

/**
 * What a state means. idle: no action is needed. wait: a person must act. live: something is in progress.
 * good and bad: how it ended.
 */
type Tone = 'idle' | 'wait' | 'live' | 'good' | 'bad'

const LOOKS = {
  queued: ['idle', 'more'],
  skipped: ['idle', 'skip'],
  expired: ['idle', 'wait'],
  stopped: ['idle', 'stop'],
  closed: ['idle', 'check'],
  withdrawn: ['idle', 'ban'],
  paused: ['idle', 'pause'],
  off: ['idle', 'minus'],
  waiting: ['wait', 'wait'],
  running: ['live', 'spin'],
  succeeded: ['good', 'check'],
  approved: ['good', 'check'],
  online: ['good', 'check'],
  failed: ['bad', 'cross'],
  rejected: ['bad', 'ban'],
  offline: ['bad', 'cross'],
  unknown: ['bad', 'help'],
} as const satisfies Readonly<Record<string, readonly [Tone, IconName]>>

export type StateKind = keyof typeof LOOKS

interface StateProps {
  readonly kind: StateKind
  /** The text with details, such as `failed (7)`. Without children, the text is the kind. */
  readonly children?: ComponentChildren
}

export function State({ kind, children = kind }: StateProps) {
  return (
    <span class={toneClass(kind)}>
      <StateIcon kind={kind} />
      <span>{children}</span>
    </span>
  )
}

/** Classes of a chip in the state's colours. */
export function toneClass(kind: StateKind): string {
  const [tone] = LOOKS[kind]
  return tone === 'idle' ? 'chip' : `chip is-${tone}`
}

export function StateIcon({ kind }: { readonly kind: StateKind }) {
  const [, icon] = LOOKS[kind]
  return <Icon name={icon} small turning={icon === 'spin'} />
}
