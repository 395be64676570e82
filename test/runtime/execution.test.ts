import { closeSync, existsSync, openSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SpawnError, exitCode } from '../../src/runtime/exit-status.ts'
import { startPortable } from '../../src/runtime/portable-engine.ts'
import { engine, outcome, run, start } from '../support/execute.ts'
import { waitFor } from '../support/wait.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runtime-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const portable = {
  name: 'portable',
  reason: 'a test',
  start: startPortable,
  startTerminal: engine.startTerminal,
  guard: engine.guard,
} as const
const bash = ['bash', '--norc', '--noprofile']

describe('an execution', () => {
  it('runs on the posix engine here', () => {
    expect(engine.name).toBe('posix')
  })

  describe.each([engine, portable])('on the $name engine', (one) => {
    it('gives stdin to the program and its two streams back, apart', async () => {
      const { stdout, stderr, status } = await run(bash, {
        stdin: 'echo out; echo err >&2; exit 3',
        engine: one,
      })
      expect([String(stdout), String(stderr), status]).toEqual([
        'out\n',
        'err\n',
        { kind: 'exited', code: 3 },
      ])
    })

    it('says which signal ended the program', async () => {
      const { status } = await run(['sh', '-c', 'kill -9 $$'], { engine: one })
      expect(status).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
      expect(exitCode(status)).toBe(137)
    })

    it('is 127 for a program that does not exist and 126 for one that may not be executed', async () => {
      writeFileSync(path.join(folder, 'plain'), '#!/bin/sh\n', { mode: 0o600 })
      const missing = await run(['no-such-program'], { engine: one })
      const plain = await run([path.join(folder, 'plain')], { engine: one })
      expect([exitCode(missing.status), exitCode(plain.status)]).toEqual([127, 126])
      expect(missing.status.kind === 'failed' && missing.status.cause.message).toContain(
        'executable file not found',
      )
    })

    it('does not wait for a background process that holds stdout, and ends it', async () => {
      const { stdout, status } = await run(bash, { stdin: 'sleep 1000 & echo $!', engine: one })
      expect(status).toEqual({ kind: 'exited', code: 0 })
      expect(existsSync(`/proc/${String(stdout).trim()}`)).toBe(false)
    })

    it('escalates to SIGKILL when the program ignores SIGTERM', async () => {
      const execution = await start(bash, {
        stdin: `trap '' TERM; echo ready; while :; do sleep 1; done`,
        graceMs: 50,
        engine: one,
      })
      const parts: string[] = []
      for await (const { data } of execution.output) {
        parts.push(String(data))
        execution.terminate()
      }
      expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
    })

    it('delivers every byte of 20 MB', async () => {
      const { stdout } = await run(['sh', '-c', 'head -c 20000000 /dev/zero'], { engine: one })
      expect(stdout.length).toBe(20_000_000)
    })
  })

  it('lets scripts open /dev/stdin, /dev/stdout and /dev/stderr', async () => {
    const script =
      'cat /dev/stdin | wc -c; echo a > /dev/stderr; echo b | tee /dev/stderr; echo c > /dev/stdout'
    const { stdout, stderr } = await run(['bash', '-c', script], { stdin: '12345' })
    expect(String(stdout)).toBe('5\nb\nc\n')
    expect(String(stderr)).toBe('a\nb\n')
  })

  it('does not read ~/.bashrc', async () => {
    writeFileSync(path.join(folder, '.bashrc'), 'echo from bashrc')
    const { stdout } = await run(['bash', '-c', 'echo $HOME'], { environment: [`HOME=${folder}`] })
    expect(String(stdout)).toBe(`${folder}\n`)
  })

  it('has nothing but 0, 1 and 2 open, even what others in this process left inheritable', async () => {
    const inheritable = openSync('/dev/null', 'r')
    const script = 'for fd in $(seq 0 99); do [ -e /proc/$$/fd/$fd ] && echo $fd; done'
    const { stdout } = await run(['sh', '-c', script])
    closeSync(inheritable)
    expect(String(stdout)).toBe('0\n1\n2\n')
  })

  it('has its signals at their defaults, none blocked, and a session of its own', async () => {
    const { stdout } = await run(['cat', '/proc/self/status', '/proc/self/stat'])
    expect(String(stdout)).toMatch(/SigBlk:\t0+\n/)
    // 32 and 33 are glibc's own: its posix_spawn leaves them ignored, programs cannot see them.
    expect(String(stdout)).toMatch(/SigIgn:\t(0{7}18)?0+\n/)
    const [pid, , , , pgrp, sid] = String(stdout).split('\n').at(-2)?.split(' ') ?? []
    expect([pgrp, sid]).toEqual([pid, pid])
  })

  it('passes arguments and environment on byte for byte', async () => {
    const { stdout } = await run(['sh', '-c', 'printf "%s|%s" "$1" "$X"', 'sh', 'ä$HOME `id`'], {
      environment: ['X=a\nb=c"'],
    })
    expect(String(stdout)).toBe('ä$HOME `id`|a\nb=c"')
  })

  it('runs in the folder it is told, and says so when it is not there', async () => {
    expect(String((await run(['pwd'], { cwd: folder })).stdout)).toBe(`${folder}\n`)
    const { status } = await run(['pwd'], { cwd: path.join(folder, 'gone') })
    expect(status.kind === 'failed' && status.cause.message).toContain('working folder')
  })

  it.each([
    ['a script without an interpreter line', 'echo hi\n', 126, 'exec format error'],
    ['a script whose interpreter is missing', '#!/no/such/interpreter\n', 127, 'interpreter'],
  ])('names the reason for %s', async (_, content, code, text) => {
    const file = path.join(folder, 'script')
    writeFileSync(file, content, { mode: 0o700 })
    const { status } = await run([file])
    expect(exitCode(status)).toBe(code)
    expect(status.kind === 'failed' && status.cause.message).toContain(text)
  })

  it('advises filesystem: when a variable is above what the kernel takes', async () => {
    const { status } = await run(['true'], { environment: [`BIG=${'x'.repeat(200_000)}`] })
    expect(status.kind === 'failed' && status.cause).toBeInstanceOf(SpawnError)
    expect(exitCode(status)).toBe(126)
    expect(status.kind === 'failed' && status.cause.message).toContain('filesystem:')
  })

  it('does not read from the child while nobody reads from it', async () => {
    const execution = await start(['sh', '-c', 'head -c 50000000 /dev/zero; echo end >&2'])
    await waitFor(() => readFileSync(`/proc/${String(execution.pid)}/wchan`, 'utf8').length > 0)
    const { stdout, stderr } = await outcome(execution)
    expect([stdout.length, String(stderr)]).toEqual([50_000_000, 'end\n'])
  })

  it('delivers what the child wrote before its exit to a reader that is slower than the drain', async () => {
    const execution = await start(['sh', '-c', 'head -c 200000 /dev/zero; sleep 1000 & exit 0'])
    let bytes = 0
    for await (const { data } of execution.output) {
      bytes += data.length
      await waitFor(() => !existsSync(`/proc/${String(execution.pid)}`))
    }
    expect(bytes).toBe(200_000)
    expect(await execution.exit).toEqual({ kind: 'exited', code: 0 })
  })

  it('ends a background process that keeps writing after two seconds', async () => {
    const { stdout, status } = await run(bash, { stdin: 'while sleep 0.05; do echo x; done & echo $!' })
    expect(status).toEqual({ kind: 'exited', code: 0 })
    expect(existsSync(`/proc/${String(String(stdout).split('\n')[0])}`)).toBe(false)
  })

  it('ends stopped processes', async () => {
    const execution = await start(bash, { stdin: 'echo ready; kill -STOP $$' })
    for await (const chunk of execution.output) if (String(chunk.data) === 'ready\n') execution.terminate()
    expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGTERM' })
  })

  it('gives its pipes back when the reader leaves early', async () => {
    const execution = await start(bash, { stdin: 'while :; do echo x; done' })
    for await (const chunk of execution.output) if (chunk.data.length > 0) break
    execution.terminate()
    expect((await execution.exit).kind).toBe('signaled')
  })

  it('keeps 200 executions at once apart', async () => {
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, i) => run(bash, { stdin: `echo ${i}; exit ${i % 7}` })),
    )
    all.forEach(({ stdout, status }, i) => {
      expect([String(stdout), status]).toEqual([`${i}\n`, { kind: 'exited', code: i % 7 }])
    })
  })
})
