import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openHistory } from '../../src/gateway/rooms.ts'

const PAGE_BYTES = 4096

/** `maxBytes` of a history: what its tables take, and so many pages for sessions. */
export function littleRoom(pages: number): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'empty-'))
  const file = path.join(folder, 'empty.db')
  openHistory(file).close()
  const { size } = statSync(file)
  rmSync(folder, { recursive: true })
  return size + pages * PAGE_BYTES
}
