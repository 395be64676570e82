import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLines } from '../../../src/commands/client/audit/verify.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lines-'))
  file = path.join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('readLines', () => {
  it('gives the lines of a file as they are, wherever it is cut when it is read', () => {
    const lines = ['', 'a', 'ä'.repeat(200_000), '', '\u{1f512}'.repeat(100_001), 'last']
    writeFileSync(file, lines.join('\n'))
    expect([...readLines(file)]).toEqual(lines)
    writeFileSync(file, `${lines.join('\n')}\n`)
    expect([...readLines(file)]).toEqual(lines)
    writeFileSync(file, '')
    expect([...readLines(file)]).toEqual([])
  })

  it('reads a file that is larger than any text of JavaScript, and skips what is no entry', () => {
    writeFileSync(file, 'first\n')
    truncateSync(file, 600 * 1024 * 1024)
    appendFileSync(file, '\nnext\n')
    expect([...readLines(file)]).toEqual(['first', undefined, 'next'])
  })
})
