import { existsSync, readFileSync } from 'node:fs'

export const CONNECTIONS = ['bash', 'reviewed', 'ticketed', 'both'] as const
type ConnectionName = (typeof CONNECTIONS)[number]

/** One thing that a client asks for, and what it was told: only answers that came. */
export interface Job {
  /** Its correlation id too: so it is found without any answer. */
  readonly name: string
  readonly connection: ConnectionName
  readonly code: number
  /** Where its command adds a line for each run. */
  readonly runs: string
  sid?: string
  issue?: string
  /** Its approval was answered with 200. */
  isApproved?: true
  /** Somebody has asked for its run, whatever the answer. */
  isRunAsked?: true
  /** Its session is done, as a look at it has shown. */
  isOver?: true
  end?: { readonly exitCode: number; readonly output: string }
}

/** `O_APPEND`: two runs leave two lines, also at once. */
export function scriptOf({ name, code, runs }: Job): string {
  return `echo run >> '${runs}'; echo 'begin of ${name}'; sleep 0.0${code}; echo 'end of ${name}'; exit ${code}`
}

export function outputOf({ name }: Job): string {
  return `begin of ${name}\nend of ${name}\n`
}

export function runsOf({ runs }: Job): number {
  return existsSync(runs) ? readFileSync(runs, 'utf8').split('\n').length - 1 : 0
}

export function isReviewed({ connection }: Job): boolean {
  return connection === 'reviewed' || connection === 'both'
}
