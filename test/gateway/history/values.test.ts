import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NewSession } from '../../../src/gateway/history/session.ts'
import { VERSION_27 } from '../../../src/gateway/history/values.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { closeFile, openFile, type Connection } from '../../../src/gateway/store/sqlite.ts'
import { removeOlder } from '../../support/remove-older.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'values-'))
  file = path.join(folder, 'history.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const BEGIN = new Date('2026-01-01T00:00:00Z')
const session = (id: string, runbookParameters?: string): NewSession => ({
  ...{ id, origin: 'client-api-runbooks', verb: 'exec', user: 'ann', connection: 'db' },
  ...{ connectionType: 'custom', startedAt: BEGIN, script: Buffer.from(''), metadata: {} },
  labels: { runbookFile: 'a.sh', ...(runbookParameters !== undefined && { runbookParameters }) },
})
const SESSIONS = [
  session('plain', JSON.stringify({ order: 'AB-1', isFast: true, many: [1, 2] })),
  session('long', JSON.stringify({ log: 'x'.repeat(2000), id: 'Short' })),
  session('broken', '{"order":'),
  session('empty', '{}'),
  session('none'),
]

function inFile<T>(work: (db: Connection) => T): T {
  const { db } = openFile(file, undefined)
  try {
    return work(db)
  } finally {
    closeFile(db)
  }
}
const values = () =>
  inFile((db) =>
    db.prepare('SELECT session, text, is_cut FROM session_values ORDER BY session').raw().all([]),
  )

function fill(): void {
  const history = openHistory(file)
  for (const one of SESSIONS) history.begin(one)
  history.close()
}

it('the searched values of parameters are kept in lower case, the short ones first, up to a length', () => {
  fill()
  expect(values()).toEqual([
    [1, '1\u001fab-1\u001f[1,2]', 0],
    [2, `short\u001f${'x'.repeat(1024 - 6)}`, 1],
  ])
})

it('the searched values of an older file are the same', () => {
  fill()
  const before = values()
  inFile((db) =>
    db.exec(`DROP TRIGGER values_of_removed_sessions; DROP TABLE session_values; ${VERSION_27};
    ALTER TABLE session_values ADD COLUMN title TEXT; ALTER TABLE session_values ADD COLUMN reason TEXT`),
  )
  openHistory(file).close()
  expect(values()).toEqual(before)
})

it('the searched values of a removed session are removed', () => {
  const history = openHistory(file)
  for (const one of SESSIONS) {
    history.begin(one)
    history.finish(one.id, { exitCode: 0, truncatedBytes: 0, endedAt: BEGIN })
  }
  expect(removeOlder(history, new Date('2026-02-01'))).toBe(SESSIONS.length)
  history.close()
  expect(values()).toEqual([])
})
