import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Lines } from '../../src/log.ts'

let root: string
let fd: number

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lines-test-'))
})
afterEach(() => {
  closeSync(fd)
  rmSync(root, { recursive: true, force: true })
})

/** A pipe with both ends in one descriptor that does not block. */
function openPipe(): void {
  const path = join(root, 'pipe')
  execFileSync('mkfifo', [path])
  fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
}

/** What is in the pipe now. */
function takeAll(): string {
  const buffer = Buffer.alloc(1024 * 1024)
  let length = 0
  try {
    for (;;) length += readSync(fd, buffer, length, buffer.length - length, null)
  } catch {
    return buffer.toString('utf8', 0, length)
  }
}

describe('the writer of log lines', () => {
  test('has written a line when write returns', () => {
    fd = openSync(join(root, 'log'), 'w')
    const lines = new Lines(fd)
    lines.write('one\n')
    lines.write('zwei ü\n')
    expect(readFileSync(join(root, 'log'), 'utf8')).toBe('one\nzwei ü\n')
  })

  test('drops lines while a pipe stays full and goes on, on a line of its own, when it is read', () => {
    openPipe()
    const lines = new Lines(fd, 20)
    const long = `${'x'.repeat(99_999)}\n`
    lines.write(long)
    lines.write('dropped\n')
    expect(takeAll()).toBe('x'.repeat(65_536))
    lines.write('next\n')
    lines.write('last\n')
    expect(takeAll()).toBe('\nnext\nlast\n')
  })

  test('waits for a reader that is slower', async () => {
    openPipe()
    const reader = spawn('wc', ['-c', join(root, 'pipe')], { stdio: ['ignore', 'pipe', 'ignore'] })
    const counted = text(reader.stdout)
    const lines = new Lines(fd, 30_000)
    for (let i = 0; i < 100; i++) lines.write(`${'x'.repeat(9999)}\n`)
    const closed = once(reader, 'close')
    closeSync(fd)
    fd = openSync('/dev/null', 'r')
    await closed
    expect(await counted).toMatch(/^1000000 /)
  })

  test('drops lines that a full disk refuses', () => {
    fd = openSync('/dev/full', 'w')
    const lines = new Lines(fd)
    expect(() => {
      lines.write('one\n')
      lines.write('two\n')
    }).not.toThrow()
  })
})
