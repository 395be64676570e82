import { keeperOfScripts, mayKeepScripts, SCRIPTS } from '../../parts/kept-scripts.ts'

// Drafts and saved scripts stay in this browser until the user signs out. Texts that may contain a secret are
// never stored, and another user who signs in here does not get them.

/** Maximum length of a stored script, because the browser's storage has only some megabytes. */
const MAX_CHARACTERS = 64 * 1024
const MOST_DRAFTS = 20
export const MOST_SAVED = 30

/**
 * Matches texts that may contain a secret. A wrong match only means that the page does not store the text.
 */
const SOUNDS_SECRET =
  /pass(?:word|wd|phrase|code)|secret|token|credential|identified\s+by|api[-_ ]?key|private[-_ ]key|authorization:|bearer\s|:\/\/[^\s/:@]+:[^\s/@]+@/i

export interface SavedScript {
  readonly name: string
  readonly connection: string
  readonly text: string
  readonly at: number
}

interface Draft {
  readonly text: string
  readonly at: number
}

/** Returns why the browser does not keep a text; undefined if it does. */
export function whyNotKept(text: string): string | undefined {
  if (text.length > MAX_CHARACTERS) return 'it is longer than 64 KiB'
  return SOUNDS_SECRET.test(text) ? 'it may contain a secret' : undefined
}

function key(...parts: readonly string[]): string {
  return SCRIPTS + JSON.stringify([keeperOfScripts(), ...parts])
}

export function keptDraft(connection: string): string {
  return draftAt(key('draft', connection))?.text ?? ''
}

/** Stores the draft, or removes it if the text is empty or must not be stored. */
export function keepDraft(connection: string, text: string): void {
  const name = key('draft', connection)
  if (text.trim() === '' || whyNotKept(text) !== undefined) localStorage.removeItem(name)
  else write(name, { text, at: Date.now() } satisfies Draft)
  dropOldDrafts()
}

function dropOldDrafts(): void {
  const mine = key('draft').slice(0, -1)
  const drafts = Object.keys(localStorage)
    .filter((name) => name.startsWith(mine))
    .map((name) => ({ name, at: draftAt(name)?.at ?? 0 }))
    .toSorted((a, b) => b.at - a.at)
  for (const { name } of drafts.slice(MOST_DRAFTS)) localStorage.removeItem(name)
}

/** Returns the saved scripts, the newest first. */
export function savedScripts(): readonly SavedScript[] {
  return (read(key('saved')) as readonly SavedScript[] | undefined) ?? []
}

/** Replaces a script of the same name and connection. Returns false if the browser did not store the script. */
export function saveScript(script: Omit<SavedScript, 'at'>): boolean {
  const others = savedScripts().filter(({ name, connection }) => {
    return name !== script.name || connection !== script.connection
  })
  return write(key('saved'), [{ ...script, at: Date.now() }, ...others].slice(0, MOST_SAVED))
}

export function forgetScript({ name, connection }: SavedScript): void {
  write(
    key('saved'),
    savedScripts().filter((one) => one.name !== name || one.connection !== connection),
  )
}

function draftAt(name: string): Draft | undefined {
  return read(name) as Draft | undefined
}

function read(name: string): unknown {
  try {
    const text = localStorage.getItem(name)
    return text === null ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}

function write(name: string, value: unknown): boolean {
  if (!mayKeepScripts()) return false
  try {
    localStorage.setItem(name, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}
