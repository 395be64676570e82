/** `skipped`: could not be made, or says nothing here; it does not count. */
export type Level = 'ok' | 'warning' | 'broken' | 'skipped'

/** What one check found out. Texts never hold the value of a secret. */
export interface Finding<Fact = undefined> {
  readonly level: Level
  /** One line. */
  readonly found: string
  /** What to do, in one or more lines. */
  readonly advice?: string
  /** What later checks build on; without it they are skipped. */
  readonly fact?: Fact | undefined
}

/** A finding with the name of its check, for people and programs. */
export interface Line {
  readonly name: string
  readonly level: Level
  readonly found: string
  readonly advice?: string
}

export function ok(found: string): Finding<never> {
  return { level: 'ok', found }
}

export function warning(found: string, advice: string): Finding<never> {
  return { level: 'warning', found, advice }
}

export function broken(found: string, advice: string): Finding<never> {
  return { level: 'broken', found, advice }
}

export function skipped(found: string): Finding<never> {
  return { level: 'skipped', found }
}

/** `level` of many: the worst, for the exit code. */
export function worst(levels: readonly Level[]): 'ok' | 'warning' | 'broken' {
  if (levels.includes('broken')) return 'broken'
  return levels.includes('warning') ? 'warning' : 'ok'
}
