import { oneLine } from '../../basics/text/printable.ts'
import { itemTable, type ItemColumn } from '../../basics/text/table.ts'
import { withEscapes } from '../../gateway/sessions/session-request.ts'
import type { ConnectionSettings, RepositorySettings } from '../../gateway/settings/settings.ts'
import { factLines } from '../client/asking/asking.ts'
import { hasAccessControl, isForAdminsOnly, storedSecrets } from './connections.ts'
import {
  type MigrationStep,
  isLongEnough,
  modesOf,
  needsOtherReviews,
  MIN_NAME_CHARACTERS,
  type Migration,
  resourceNamed,
} from './step.ts'

/** `planned` is used in a dry run. `left` is used for the steps after a refused step. */
type Outcome = 'planned' | 'done' | 'refused' | 'left'

export interface Reported {
  readonly step: MigrationStep
  readonly outcome: Outcome
}

export interface Report {
  readonly to: string
  readonly isDryRun: boolean
  readonly steps: readonly Reported[]
  readonly notes: readonly Note[]
}

const COLUMNS: readonly ItemColumn<Reported>[] = [
  { heading: 'DO', of: ({ step, outcome }) => wordOf(step, outcome) },
  { heading: 'WHAT', of: ({ step }) => step.kind },
  { heading: 'NAME', shrinks: true, of: ({ step }) => step.name },
  { heading: 'PARTS', shrinks: true, of: ({ step }) => step.parts.join(', ') },
]

const DONE = { create: 'created', change: 'changed', same: 'same' }

/** Makes one line for each object, and then one line for each note. */
export function reportText({ to, isDryRun, steps, notes }: Report, width: number): string {
  const parts = [
    `${oneLine(to)}: ${summarize(steps)}${isDryRun ? '. Nothing was written: add --apply to write' : ''}\n`,
    steps.length === 0 ? '' : itemTable(COLUMNS, steps, width),
    section(
      'Weaker in hoop',
      notes.filter(({ isWeaker }) => isWeaker),
    ),
    section(
      'Not copied, or to be checked',
      notes.filter(({ isWeaker }) => !isWeaker),
    ),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function section(heading: string, notes: readonly Note[]): string {
  if (notes.length === 0) return ''
  return `${heading}:\n${factLines(
    notes.map(({ about, text }) => [about, text]),
    '  ',
  )}`
}

function wordOf({ action }: MigrationStep, outcome: Outcome): string {
  if (outcome === 'planned' || action === 'same') return action
  return outcome === 'done' ? DONE[action] : outcome
}

function summarize(steps: readonly Reported[]): string {
  const words = steps.map(({ step, outcome }) => wordOf(step, outcome))
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ') || 'nothing to do'
}

export function reportJson({ to, isDryRun, steps, notes }: Report): object {
  return {
    to,
    dry_run: isDryRun,
    steps: steps.map(({ step: { kind, name, action, parts }, outcome }) => ({
      kind,
      name,
      action,
      parts,
      outcome,
    })),
    notes: notes.map(({ about, text, isWeaker }) => ({ about, text, weaker: isWeaker })),
  }
}

/** Puts the notes about weaker protection first. */
export function notesOf(migration: Migration, steps: readonly MigrationStep[]): Note[] {
  const { settings, carried } = migration
  const notes = [
    ...settings.connections.flatMap(nameNotes),
    ...carried.connections.flatMap((connection) => connectionNotes(connection, migration)),
    ...reviewNotes(carried.connections),
    ...repositoryNotes(migration),
    ...licenceNotes(migration, steps),
    ...gatewayNotes(migration),
  ]
  return [...notes.filter(({ isWeaker }) => isWeaker), ...notes.filter(({ isWeaker }) => !isWeaker)]
}

function nameNotes({ name, agent }: ConnectionSettings): Note[] {
  const short = [name, agent].find((one) => !isLongEnough(one))
  if (short === undefined) return []
  const text = `not copied: the name ${short} is too short, names in hoop have at least ${MIN_NAME_CHARACTERS} characters`
  return [note(`connection ${name}`, text)]
}

function connectionNotes(connection: ConnectionSettings, migration: Migration): Note[] {
  const { name, access } = connection
  const modes = modesOf(connection, migration.carried, hasAccessControl(migration))
  const found: (Note | false)[] = [
    !access.clientInput &&
      (modes.runbooks || modes.connect) &&
      weaker(name, 'access.client-input: in hoop callers may add arguments and variables'),
    access.clientEscapes === 'block' &&
      note(
        name,
        "access.client-escapes: copied as a variable. Only this project's agent obeys this variable, hoop's agent does not",
      ),
    access.groups !== undefined &&
      !hasAccessControl(migration) &&
      note(name, `closed in hoop, because the connection is only for ${access.groups.join(', ')}: ${SWITCH}`),
    isForAdminsOnly(connection, migration) &&
      note(
        name,
        'access control is on in hoop: only admins may use this connection until you add groups to it (here: everybody)',
      ),
    needsOtherReviews(connection) &&
      note(name, 'runbooks stay closed in hoop, because hoop has no reviews by path (runbooks.review)'),
    hiddenSecrets(connection, migration),
  ]
  return found.filter((one) => one !== false)
}

const SWITCH =
  'to open it, enable access control with --access-control. Then only admins see connections without groups'

function hiddenSecrets(connection: ConnectionSettings, { present, options }: Migration): Note | false {
  const stored = storedSecrets(resourceNamed(present.connections, connection.name))
  const hidden = [...withEscapes(connection).keys()].filter((key) => stored[key] === null)
  if (hidden.length === 0 || options.secrets) return false
  const names = hidden.map((key) => key.slice(key.indexOf(':') + 1)).join(', ')
  return note(
    connection.name,
    `hoop does not show the values of ${names}: assumed to be unchanged. To write them again, add --secrets`,
  )
}

/** @param connections the connections that are copied to hoop */
function reviewNotes(connections: readonly ConnectionSettings[]): Note[] {
  const reviewed = connections.filter(({ review }) => review !== undefined)
  if (reviewed.length === 0) return []
  return [
    weaker(
      'reviews',
      'in hoop a request does not expire, admins may approve their own requests, and others may run an approved request, also outside its time window',
    ),
    ...reviewed.flatMap(({ name, review }) =>
      review?.selfApproval ? [note(name, 'review.self-approval: in hoop only for admins')] : [],
    ),
  ]
}

/** hoop's free licence allows only one object of each limited kind. */
function licenceNotes({ present, account }: Migration, steps: readonly MigrationStep[]): Note[] {
  if (present.licence !== 'oss') return []
  const limited = [
    ['guardrail', present.guardrails.length],
    ['jira template', present.templates.length],
    ['review rule', present.reviewRules.length],
    ['masking rule', present.masking.length],
  ] as const
  return limited.flatMap(([kind, there]) => {
    const made = steps.filter((step) => step.kind === kind && step.action === 'create').length
    const text = `hoop's free licence allows only one ${kind}, but ${made + there} would be needed: hoop will refuse the others`
    return made > 0 && made + there > 1 ? [note(account.rest.url, text)] : []
  })
}

function gatewayNotes({ settings, carried }: Migration): Note[] {
  const { users, jira } = settings
  const masked = carried.connections.some(({ masking }) => masking !== undefined)
  const found: (Note | false)[] = [
    masked &&
      note('masking', 'not copied: set provider (DLP_PROVIDER), mode and addresses in the settings of hoop'),
    jira !== undefined && note('jira', 'timeout, ca and proxy are not copied: hoop uses its own'),
    ...users.map(({ name, groups }) =>
      note(`user ${name}`, `not copied: invite this user in hoop${inGroups(groups)}`),
    ),
    note('sessions', 'not copied: the history and waiting requests stay in this gateway'),
  ]
  return found.filter((one) => one !== false)
}

function inGroups(groups: readonly string[]): string {
  return groups.length === 0 ? '' : `, with the groups ${groups.join(', ')}`
}

/** Names the repositories that hoop cannot read or reads in another way. */
function repositoryNotes({ settings, carried }: Migration): Note[] {
  return settings.repositories.flatMap((repository) => {
    const remote = carried.repositories.find(({ name }) => name === repository.name)?.remote
    const texts = [...placeNote(remote?.kind), ...branchNote(repository)]
    return texts.map((text) => note(`repository ${repository.name}`, text))
  })
}

function placeNote(kind: string | undefined): string[] {
  if (kind === undefined)
    return [
      'not copied, so its runbooks are closed in hoop: the repository is a folder on this machine. Push it to a server that hoop can reach',
    ]
  if (kind === 'ssh')
    return ['the ssh key of this user is not copied: give hoop an ssh key for the repository (ssh_key)']
  return []
}

function branchNote({ branch }: RepositorySettings): string[] {
  const isUsual = branch === undefined || branch === 'main' || branch === 'master'
  return isUsual ? [] : [`branch ${branch}: hoop reads only main or master`]
}

export interface Note {
  readonly about: string
  readonly text: string
  /** hoop protects this object less than the embedded gateway does. */
  readonly isWeaker: boolean
}

export function note(about: string, text: string): Note {
  return { about, text, isWeaker: false }
}

export function weaker(about: string, text: string): Note {
  return { about, text, isWeaker: true }
}
