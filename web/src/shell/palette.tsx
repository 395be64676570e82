import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { readConnections, readRunbooks } from '../api/gateway.ts'
import { isPerson, mayAdminister, mayRun } from '../api/person.ts'
import type { Connection, ListedSession, RunbookLists } from '../api/types.ts'
import { Icon } from '../parts/icon.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { runbookName, sessionName } from '../parts/called.ts'
import { momentText } from '../parts/moment.tsx'
import { runbookPath, sessionPath, sessionsOf, terminalPath } from '../parts/paths.ts'
import { go } from '../parts/router.ts'
import { chooseTheme } from '../parts/theme.tsx'
import { visible } from '../parts/visible.ts'
import { best, type Finding } from './finding.ts'
import { leave } from './leave.ts'
import { ownSessions } from './mine.tsx'
import { isPaletteOpen, type PaletteProps } from './palette-state.ts'
import { ALL_PLACES, isForPerson } from './places.ts'
import { showShortcuts } from './shortcuts.tsx'

/** The dialog in which the user searches everything. */
export default function Palette({ typed }: PaletteProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [wanted, setWanted] = useState(typed)
  const [chosen, setChosen] = useState(0)
  const { all, isWhole } = useFindings()
  const matches = useMemo(() => best(all, wanted), [all, wanted])
  const found = matches.length === 0 && isWhole ? searchesFor(wanted.trim()) : matches
  const close = () => (isPaletteOpen.value = false)
  // Before the next key, which would otherwise act on the page.
  useLayoutEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    current?.showModal()
    return () => {
      current?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const take = (finding: Finding | undefined) => {
    if (finding === undefined) return
    close()
    // The result is opened after the dialog has returned the focus, because the result may move the focus.
    setTimeout(finding.open)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') take(found[chosen])
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step === undefined && event.key !== 'Enter') return
    event.preventDefault()
    if (step === undefined || found.length === 0) return
    const next = (chosen + step + found.length) % found.length
    setChosen(next)
    document.getElementById(`found-${next}`)?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <dialog
      ref={dialog}
      class="dialog palette"
      aria-label="Search everything"
      onCancel={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="search">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Search everything"
          aria-expanded={found.length > 0}
          aria-controls="found"
          aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `found-${chosen}` : undefined}
          placeholder="Runbooks, connections, sessions, pages, actions"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={wanted}
          onInput={(event) => {
            setWanted(event.currentTarget.value)
            setChosen(0)
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <Options found={found} chosen={chosen} onTake={take} />
      {matches.length === 0 && (
        <p class="card-body soft" role="status">
          Nothing has “{visible(wanted)}” in its name, path or description. Try fewer letters.
        </p>
      )}
      <div class="card-foot line soft only-wide">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </div>
    </dialog>
  )
}

/** What is only in the values of past runs is found by the list of sessions. */
function searchesFor(text: string): readonly Finding[] {
  if (text === '') return []
  const title = `Search the sessions for “${text}”`
  const about = 'in the values, runbooks and users of past runs'
  const to = `/sessions?${new URLSearchParams({ text }).toString()}`
  return [{ group: 'Sessions', icon: 'search', title, about, open: () => go(to) }]
}

interface OptionsProps {
  readonly found: readonly Finding[]
  readonly chosen: number
  readonly onTake: (finding: Finding) => void
}

function Options({ found, chosen, onTake }: OptionsProps) {
  return (
    <div class="options" role="listbox" id="found" aria-label="Found" hidden={found.length === 0}>
      {[...new Set(found.map(({ group }) => group))].map((group) => (
        <div key={group} role="group" aria-label={group}>
          <div class="label" aria-hidden="true">
            {group}
          </div>
          {found.map((finding, index) =>
            finding.group === group ? (
              <div
                key={index}
                role="option"
                id={`found-${index}`}
                aria-selected={index === chosen}
                onClick={() => onTake(finding)}
              >
                <Icon name={finding.icon} />
                <div class="row-text">
                  <strong>
                    <bdi>{visible(finding.title)}</bdi>
                  </strong>
                  <span dir="auto">{visible(finding.about)}</span>
                </div>
              </div>
            ) : null,
          )}
        </div>
      ))}
    </div>
  )
}

/** `isWhole`: whether the lists that are searched have been read. */
function useFindings(): { readonly all: readonly Finding[]; readonly isWhole: boolean } {
  const runbooks = useLoaded(readRunbooks).value
  const connections = useLoaded(readConnections).value
  const sessions = ownSessions.value
  const all = useMemo(
    () => [
      ...(runbooks === undefined ? [] : ofRunbooks(runbooks)),
      ...(connections ?? []).flatMap(ofConnection),
      ...(sessions ?? []).map(ofSession),
      ...ALL_PLACES.filter(isForPerson).map(({ to, name, icon }): Finding => ({
        group: 'Pages',
        icon,
        title: name,
        about: to,
        open: () => go(to),
      })),
      ...ACTIONS.filter(({ isFor }) => isFor?.() !== false),
    ],
    [runbooks, connections, sessions],
  )
  return { all, isWhole: runbooks !== undefined && connections !== undefined }
}

function ofRunbooks({ repositories }: RunbookLists): Finding[] {
  return repositories.flatMap(({ repository, items }) =>
    items.map(({ name, title, description = '', metadata }) => ({
      group: 'Runbooks',
      icon: 'book',
      title: runbookName(name, title),
      about: name,
      words: `${description} ${Object.keys(metadata).join(' ')}`,
      open: () => go(runbookPath(repository, name)),
    })),
  )
}

function ofConnection(connection: Connection): Finding[] {
  const { name, type, status, connection_tags: tags } = connection
  const words = Object.entries(tags)
    .map(([tag, value]) => `${tag}=${value}`)
    .join(' ')
  const hasTerminal = connection.access_mode_connect === 'enabled' && mayRun()
  return [
    {
      group: 'Connections',
      icon: 'plug',
      title: name,
      about: `${type}, ${status}`,
      words,
      open: () => go(`/connections?search=${encodeURIComponent(name)}`),
    },
    {
      group: 'Sessions',
      icon: 'sessions',
      title: `Sessions on ${name}`,
      about: type,
      words,
      open: () => go(sessionsOf(name)),
    },
    ...(hasTerminal
      ? [
          {
            ...({
              group: 'Actions',
              icon: 'terminal',
              title: `Terminal on ${name}`,
              about: type,
              words,
            } as const),
            open: () => go(terminalPath(name)),
          },
        ]
      : []),
  ]
}

function ofSession(session: ListedSession): Finding {
  const { id, labels, connection, start_date: asked, began_at: began, state } = session
  return {
    group: 'Sessions',
    icon: 'sessions',
    title: sessionName(session),
    about: `${state.text} · on ${connection} · ${momentText(new Date(began ?? asked), new Date())}`,
    words: `${labels?.['runbookFile'] ?? ''} ${id}`,
    open: () => go(sessionPath(id)),
  }
}

const ACTIONS: readonly (Finding & { readonly isFor?: () => boolean })[] = [
  {
    ...({
      group: 'Actions',
      icon: 'key',
      title: 'My tokens',
      about: 'for programs and command lines',
    } as const),
    open: () => go('/tokens'),
  },
  {
    ...({ group: 'Actions', icon: 'plus', title: 'New token', about: 'for a program' } as const),
    open: () => go('/tokens?new=token'),
    isFor: isPerson,
  },
  {
    ...({ group: 'Actions', icon: 'plus', title: 'New user', about: 'a person or a machine' } as const),
    open: () => go('/users?new=user'),
    isFor: mayAdminister,
  },
  {
    ...({ group: 'Actions', icon: 'plus', title: 'New schedule' } as const),
    about: 'writes the lines for gateway.yaml',
    open: () => go('/schedules/new'),
  },
  ...(['dark', 'light', 'system'] as const).map((theme): Finding => ({
    group: 'Actions',
    icon: 'theme',
    title: `Theme: ${theme}`,
    about: 'in this browser',
    words: 'colours',
    open: () => chooseTheme(theme),
  })),
  {
    group: 'Actions',
    icon: 'help',
    title: 'Keyboard shortcuts',
    about: 'all keys of this page',
    open: showShortcuts,
  },
  { group: 'Actions', icon: 'leave', title: 'Sign out', about: 'in this browser', open: leave },
]
