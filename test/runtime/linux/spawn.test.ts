import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryFile, seal } from '../../../src/runtime/linux/spawn.ts'
import { outcome, run, start } from '../../support/sites/execute.ts'

let folder: string
let fifo: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'memory-file-'))
  fifo = path.join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
})
afterEach(() => rmSync(folder, { recursive: true }))

/** `cat` is no builtin: bash gives what it has not run yet back to the file, and reads it again afterwards. */
const victim = () => `cat ${fifo}\necho to the end\n`
const rewritten = 'x'.repeat(4096).replaceAll('x', 'echo stolen\\n')

describe('the script of a running command', () => {
  it.each([
    ['overwrite', `printf '${rewritten}' 1<> "$1"`],
    ['truncate', `: > "$1"`],
    ['append to', `echo 'echo stolen' >> "$1"`],
  ])('is its own to the end: another process of the same user cannot %s it', async (_, attack) => {
    const attacked = await start(['bash'], { stdin: victim() })
    const file = `/proc/${String(attacked.pid)}/fd/0`
    const attacker = await run(['bash', '-c', `${attack}; echo released > "$2"`, 'bash', file, fifo])
    expect(String((await outcome(attacked)).stdout)).toBe('released\nto the end\n')
    expect(String(attacker.stderr)).toContain('Operation not permitted')
  })

  it.each([
    ['sh', ['sh'], 'echo read'],
    ['node', ['node'], 'console.log("read")'],
    ['cat', ['cat', '/dev/stdin'], 'read\n'],
    ['a shell that opens it again', ['sh', '-c', 'exec 3</dev/stdin; cat <&3'], 'read\n'],
    ['a shell that opens it to write, too', ['sh', '-c', 'exec 3<>/dev/stdin; cat <&3'], 'read\n'],
    ['a program that seeks', ['tail', '-c', '5'], `${'-'.repeat(100_000)}read\n`],
    ['two that share it', ['sh', '-c', 'head -n 1 > /dev/null; cat'], '-\nread\n'],
  ])('can be read by %s', async (_, argv, stdin) => {
    expect(String((await run(argv, { stdin })).stdout)).toBe('read\n')
  })
})

describe('a seal', () => {
  it('that is refused is an error', () => {
    const fd = memoryFile('sealed before')
    seal(fd)
    expect(() => seal(fd)).toThrow('F_ADD_SEALS: EPERM')
    closeSync(fd)
  })

  it('is done without where there is none', () => {
    const fd = openSync('/dev/null', 'r+')
    expect(() => seal(fd)).not.toThrow()
    closeSync(fd)
  })
})
