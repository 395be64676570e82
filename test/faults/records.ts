import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { closeFile, openFile } from '../../src/gateway/store/sqlite.ts'

/** A session as the history file has it. */
export interface Recorded {
  readonly id: string
  readonly status: string
  readonly exitCode: number | null
  readonly endedAt: number | null
  readonly correlationId: string | null
  /** Bytes that the record says are missing in it. */
  readonly truncatedBytes: number
  readonly output: string
}

/** What a history file says, once its gateway has stopped. */
export interface HistoryFile {
  readonly integrity: string
  readonly sessions: readonly Recorded[]
}

export function readHistory(state: string): HistoryFile {
  const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
  try {
    const rows = (sql: string) => db.prepare(sql).raw().all([]) as readonly unknown[][]
    const outputs = new Map<unknown, Buffer[]>()
    for (const [session, bytes] of rows(
      `SELECT session, bytes FROM history.events WHERE kind IN ('o', 'e') ORDER BY key`,
    ))
      outputs.set(session, [...(outputs.get(session) ?? []), bytes as Buffer])
    const sessions = rows(
      'SELECT key, id, status, exit_code, ended_at, correlation_id, truncated_bytes FROM history.sessions',
    ).map(
      ([key, id, status, exitCode, endedAt, correlationId, truncatedBytes]) =>
        ({
          ...{ id, status, exitCode, endedAt, correlationId, truncatedBytes },
          output: String(Buffer.concat(outputs.get(key) ?? [])),
        }) as Recorded,
    )
    const integrity = rows('PRAGMA history.integrity_check').join()
    return { integrity, sessions }
  } finally {
    closeFile(db)
  }
}

/** A line of an agent's journal, as far as the rig looks at it. */
export interface JournalLine {
  readonly event: string
  readonly sid?: string
  readonly outcome?: string
  readonly exitCode?: number
  readonly reason?: string
  readonly closeSent?: boolean
}

/** A last line that was cut off is none. */
export function readJournal(state: string): JournalLine[] {
  const files = ['journal.1.jsonl', 'journal.jsonl'].map((name) => path.join(state, name)).filter(existsSync)
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as JournalLine),
  )
}
