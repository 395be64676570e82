import './settings.css'
import { useState } from 'preact/hooks'
import { person } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { Settings, SettingsChanges } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { Reload } from './reload.tsx'
import { entriesOf, sectionsOf, type Entry, type Section } from './sections.ts'

type Setting = Settings['settings'][number]

const readSettings = (signal: AbortSignal) => ask<Settings>('GET', '/api/settings', { signal })
const readChanges = (signal: AbortSignal) => ask<SettingsChanges>('GET', '/api/settings/changes', { signal })

/** Settings of gateway.yaml, and what a reload would change. */
export default function SettingsView() {
  const settings = useLoaded(readSettings)
  const changes = useLoaded(readChanges)
  const [isAsking, setIsAsking] = useState(false)
  const { value, error } = settings
  const again = () => {
    settings.reload()
    changes.reload()
  }
  return (
    <>
      <header class="head">
        <h1>Settings</h1>
        <div class="line push">
          <button type="button" class="button is-quiet" onClick={again}>
            <Icon name="again" />
            Refresh
          </button>
          {person.value?.is_admin === true && (
            <button type="button" class="button is-primary" onClick={() => setIsAsking(true)}>
              <Icon name="check" />
              Reload…
            </button>
          )}
        </div>
        <p>
          Settings that the gateway read from{' '}
          {value === undefined ? 'gateway.yaml' : <Name>{value.file}</Name>} at its start or its last reload,
          without secrets. To change a setting, edit the file, then choose Reload.
        </p>
      </header>
      <Pending changes={changes} />
      {error !== undefined && <Problem error={error} onRetry={again} />}
      {value === undefined && error === undefined && <Loading rows={8} />}
      {value !== undefined && <Found settings={value.settings} />}
      {isAsking && (
        <Reload
          onClose={() => setIsAsking(false)}
          onDone={() => {
            setIsAsking(false)
            again()
          }}
        />
      )}
    </>
  )
}

/** Shows whether the file differs from the settings that the gateway uses. */
function Pending({
  changes: { value, error },
}: {
  readonly changes: ReturnType<typeof useLoaded<SettingsChanges>>
}) {
  if (error !== undefined)
    return (
      <div class="note is-bad" role="status">
        <Icon name="alert" />
        <div class="said">
          <strong>The file has errors. The gateway keeps the settings that it read before.</strong>
          <ul class="settings-problems">
            {error.message.split('\n').map((line) => (
              <li key={line}>
                <Name>{line}</Name>
              </li>
            ))}
          </ul>
        </div>
      </div>
    )
  if (value === undefined) return null
  const waiting = value.changes.length
  const restart = value.restart_required.length
  if (waiting + restart === 0) return null
  return (
    <div class="note is-wait" role="status">
      <Icon name="wait" />
      <div class="said">
        <strong>The file differs from the settings that the gateway uses.</strong>
        {waiting > 0 &&
          ` A reload applies the changes of ${value.changes.map(({ setting }) => setting).join(', ')}.`}
        {restart > 0 && ` A restart is needed for ${value.restart_required.join(', ')}.`}
      </div>
    </div>
  )
}

function Found({ settings }: { readonly settings: readonly Setting[] }) {
  const wanted = (query.value.get('search') ?? '').toLowerCase()
  const hasDefaults = query.value.get('defaults') === 'shown'
  const found = settings.filter(
    ({ name, value, from }) =>
      (hasDefaults || from === 'file' || from === 'refused') &&
      `${name} ${value ?? ''}`.toLowerCase().includes(wanted),
  )
  // The map has all settings, because the heading of an entry needs the entry's name. The search may not
  // match this name.
  const names = new Map(settings.map(({ name, value }) => [name, value]))
  return (
    <>
      <div class="line">
        <div class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Search settings"
            placeholder="Search settings"
            data-shortcut="search"
            value={query.value.get('search') ?? ''}
            onInput={(event) => changeQuery({ search: event.currentTarget.value })}
          />
        </div>
        <label class="tick">
          <input
            type="checkbox"
            checked={hasDefaults}
            onChange={(event) => changeQuery({ defaults: event.currentTarget.checked ? 'shown' : '' })}
          />
          Show defaults
        </label>
      </div>
      {found.length === 0 && (
        <Empty icon="search" title="No setting matches the search">
          Search for a shorter part of a name or value, or show defaults.
        </Empty>
      )}
      {sectionsOf(found).map((section) => (
        <SectionCard key={section.title} section={section} names={names} />
      ))}
    </>
  )
}

type Names = ReadonlyMap<string, string | null>

interface SectionCardProps {
  readonly section: Section
  /** The values of all settings, by their names. */
  readonly names: Names
}

function SectionCard({ section: { title, about, settings }, names }: SectionCardProps) {
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <span class="soft small">{about}</span>
      </div>
      <table class="settings folds">
        <thead class="said-only">
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        {entriesOf(settings).map((entry) => (
          <EntryRows key={entry.at} entry={entry} names={names} />
        ))}
      </table>
    </section>
  )
}

/** Shows the settings of one list entry, such as a user. The heading is the name of the entry. */
function EntryRows({ entry: { at, settings }, names }: { readonly entry: Entry; readonly names: Names }) {
  const called = at === undefined ? undefined : names.get(`${at}.name`)
  const shown = settings.filter(({ name }) => called == null || name !== `${at}.name`)
  const place = settings.find(({ name }) => name === `${at}.name`)?.place ?? null
  return (
    <tbody class={at === undefined ? undefined : 'entry'}>
      {at !== undefined && (
        <tr>
          <th scope="rowgroup" colSpan={2}>
            {called != null && (
              <>
                <Name>{called}</Name>{' '}
              </>
            )}
            <span class="soft mono">
              <Name>{at}</Name>
            </span>
          </th>
          <td class="soft small">{place !== null && <Name>{placeText(place)}</Name>}</td>
        </tr>
      )}
      {shown.map((setting) => (
        <Row key={setting.name} setting={setting} after={at} />
      ))}
    </tbody>
  )
}

const SOURCES = {
  flag: 'flag',
  variable: 'variable',
  file: 'file',
  default: 'default',
  refused: 'refused',
  unset: 'not set',
} as const

interface RowProps {
  readonly setting: Setting
  /** The start of the setting's name. It is left out here because the heading already shows it. */
  readonly after: string | undefined
}

function Row({ setting: { name, value, from, place }, after = '' }: RowProps) {
  return (
    <tr>
      <th scope="row" class="plain-th mono">
        <Name>{name.slice(after.length).replace(/^\./, '') || name}</Name>
      </th>
      <td class="mono">
        {value === null ? <span class="soft">–</span> : value === '<set>' ? <Secret /> : <Name>{value}</Name>}
      </td>
      <td class={from === 'refused' ? 'is-bad small' : 'soft small'}>
        {place === null ? SOURCES[from] : <Name>{placeText(place)}</Name>}
      </td>
    </tr>
  )
}

function Secret() {
  return (
    <span class="line soft">
      <Icon name="lock" small />
      set, not shown
    </span>
  )
}

/** Returns a place such as `gateway.yaml:12:5`, without the folder. The top of the view shows the folder. */
function placeText(place: string): string {
  return place.slice(place.lastIndexOf('/') + 1)
}
