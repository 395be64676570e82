import type { Settings } from '../../api/types.ts'

type Setting = Settings['settings'][number]

export interface Section {
  readonly title: string
  readonly about: string
  readonly settings: readonly Setting[]
}

/** Each task has the first parts of the names of its settings. Settings of no task are under "Others". */
const TASKS: readonly (readonly [title: string, about: string, parts: readonly string[]])[] = [
  ['Addresses', 'where the gateway listens, and its TLS', ['listen']],
  ['People', 'users, groups, and how they sign in', ['users', 'sign-in']],
  ['Agents and connections', 'where runbooks and scripts run', ['agents', 'connections']],
  ['Runbooks', 'repositories, locks and schedules', ['repositories', 'locks', 'schedules']],
  ['Protection', 'masking and guardrails', ['masking', 'guardrails']],
  ['Jira', 'issues that sessions open', ['jira']],
  ['Webhooks', 'addresses that receive events', ['webhooks']],
  ['Limits', 'sizes, counts and times', ['limits', 'stop-timeout']],
  ['History', 'stored sessions, their folder and how long they are kept', ['history', 'state']],
]

/** Returns the sections that have settings, in the order of the table. */
export function sectionsOf(settings: readonly Setting[]): Section[] {
  const known = new Set(TASKS.flatMap(([, , parts]) => parts))
  const others = settings.filter(({ name }) => !known.has(partOf(name)))
  const sections = TASKS.map(([title, about, parts]) => ({
    title,
    about,
    settings: settings.filter(({ name }) => parts.includes(partOf(name))),
  }))
  const all = [...sections, { title: 'Others', about: '', settings: others }]
  return all.filter((section) => section.settings.length > 0)
}

export interface Entry {
  /** The list entry, for example `users[0]`. Undefined for a setting outside of lists. */
  readonly at: string | undefined
  readonly settings: readonly Setting[]
}

/** Groups the settings of a section by their list entry. */
export function entriesOf(settings: readonly Setting[]): readonly Entry[] {
  const byEntry = Map.groupBy(settings, ({ name }) => /^[^.[]+\[\d+\]/.exec(name)?.[0])
  return [...byEntry].map(([at, those]) => ({ at, settings: those }))
}

/** Returns the first part of a setting's name, such as `users` for `users[0].name`. */
function partOf(name: string): string {
  return /^[^.[]*/.exec(name)?.[0] ?? name
}
