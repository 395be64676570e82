import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Execution } from '../../src/runtime/execution.ts'
import { SpawnError, exitCode } from '../../src/runtime/exit-status.ts'
import { groupExists } from '../../src/runtime/ending/kill-ladder.ts'
import { startPortable } from '../../src/runtime/portable-engine.ts'
import { engine, outcome, run, start } from '../support/sites/execute.ts'
import { waitFor } from '../support/wait.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runtime-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const portable = {
  name: 'portable',
  reason: 'a test',
  unmarked: undefined,
  start: startPortable,
  startTerminal: engine.startTerminal,
  guard: engine.guard,
  giveBackMemory: engine.giveBackMemory,
  endProcessesOfAgent: engine.endProcessesOfAgent,
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

    it('counts what it ended that the command had left behind: not what ran with a command that was terminated', async () => {
      const counted = async (script: string, terminate = false) => {
        const execution = await start(bash, { stdin: script, engine: one })
        for await (const { data } of execution.output) if (terminate && data.length > 0) execution.terminate()
        await execution.exit
        return execution.processesEnded
      }
      const counts = await Promise.all([
        counted('sleep 0 & wait'),
        counted('sleep 1000 & sleep 1000 & echo'),
        counted('sleep 1000 & sleep 1000 & echo; wait', true),
      ])
      expect(counts).toEqual([0, 2, 0])
    })

    it('ends a storm of forks in its group that ignores SIGTERM', async () => {
      const storm = `trap '' TERM; storm() { while :; do sleep 0.01 & done; }; storm & storm & echo ready; wait`
      const execution = await start(bash, { stdin: storm, graceMs: 50, engine: one })
      for await (const { data } of execution.output) if (data.length > 0) execution.terminate()
      expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
      expect(groupExists(execution.pid ?? 0)).toBe(false)
    })

    it('has a stopped background process go on, so that SIGTERM reaches it', async () => {
      const stopped = `bash -c 'trap "echo > told; exit" TERM; kill -STOP $$' &`
      const script = `${stopped} until grep -q 'State:.T' /proc/$!/status; do :; done; exit 3`
      const { status } = await run(bash, { stdin: script, cwd: folder, engine: one })
      expect(status).toEqual({ kind: 'exited', code: 3 })
      expect(existsSync(path.join(folder, 'told'))).toBe(true)
    })

    it('waits for a program that has closed its output, and gives its code', async () => {
      const execution = await start(bash, { stdin: 'exec >&- 2>&-; read < /dev/zero', engine: one })
      const parts: Buffer[] = []
      for await (const { data } of execution.output) parts.push(data)
      expect(parts).toEqual([])
      execution.terminate()
      expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGTERM' })
    })

    it('gives the code of a program that reads nothing of 5 MB of input, or only its first byte', async () => {
      const stdin = Buffer.alloc(5_000_000, 'x')
      for (const script of ['exit 3', 'sleep 0.05; exit 3', 'head -c 1 > /dev/null; exit 3'])
        expect((await run(['sh', '-c', script], { stdin, engine: one })).status).toEqual({
          kind: 'exited',
          code: 3,
        })
    })

    it('signals the program once, however often it is terminated', async () => {
      const script = `trap 'echo term' TERM; echo ready; while :; do :; done`
      const execution = await start(bash, { stdin: script, graceMs: 300, engine: one })
      const parts: string[] = []
      for await (const { stream, data } of execution.output) {
        if (stream === 'stdout') parts.push(String(data))
        execution.terminate()
        execution.terminate()
      }
      expect(parts.join('')).toBe('ready\nterm\n')
      expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
      execution.terminate()
      expect(execution.processesEnded).toBe(0)
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

  it.each([undefined, { cols: 80, rows: 24 }])(
    'has no descriptor of the terminal of another one, itself on a terminal or not: %j',
    async (terminal) => {
      const attacked = await start(['sh', '-c', 'tty; exec sleep 1000'], { terminal: { cols: 80, rows: 24 } })
      let path = ''
      for await (const { data } of attacked.output) {
        path += String(data).trim()
        const script =
          'for fd in $(seq 0 99); do [ -e /proc/$$/fd/$fd ] && echo $fd $(readlink /proc/$$/fd/$fd); done'
        const { stdout } = await run(['sh', '-c', script], { ...(terminal && { terminal }) })
        const open = String(stdout).trim().split(/\r?\n/)
        expect(open.map((line) => line.split(' ')[0])).toEqual(['0', '1', '2'])
        const terminals = open.map((line) => line.split(' ')[1]).filter((file) => file?.startsWith('/dev/p'))
        expect(terminals.length).toBe(terminal === undefined ? 0 : 3)
        expect(terminals).not.toContain(path)
        attacked.terminate()
      }
      expect(path).toMatch(/^\/dev\/pts\/\d+$/)
      await attacked.exit
    },
  )

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

  it('is not signalled after its end, and settles, when termination and end meet: 1,000 times', async () => {
    const kill = process.kill.bind(process)
    const wrong: string[] = []
    // Lets every signal through: it only looks whether the command still has its number then.
    const spy = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (signal !== 0 && !existsSync(`/proc/${-pid}`)) wrong.push(`${pid} ${String(signal)}`)
      return kill(pid, signal)
    })
    const race = async (turns: number) => {
      const execution = await start(['true'])
      const ended = outcome(execution)
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      execution.terminate()
      expect(['exited', 'signaled']).toContain((await ended).status.kind)
      expect(existsSync(`/proc/${String(execution.pid)}`)).toBe(false)
      expect(execution.processesEnded).toBe(0)
    }
    try {
      for (let round = 0; round < 50; round++)
        await Promise.all(Array.from({ length: 20 }, (_, turns) => race(turns)))
    } finally {
      spy.mockRestore()
    }
    expect(wrong).toEqual([])
  }, 120_000)

  it.skipIf(!hasOwnNumbers)(
    'spares a process that got the number of its group while a slow reader took the output (needs root, unshare)',
    () => {
      const words = ['-c', '"$0" --input-type=module -e "$1"; exit $?', process.execPath, numbersAgain]
      const { stdout, stderr } = spawnSync('unshare', [...ownNumbers, 'sh', ...words], { encoding: 'utf8' })
      expect([stdout, stderr]).toEqual(['true [null,"SIGINT"]\n', ''])
    },
  )

  it.each([undefined, { cols: 80, rows: 24 }])(
    'is the first to go when memory runs out, on a terminal or not: %j',
    async (terminal) => {
      const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
      // The agent writes it when the program has started already.
      const script =
        'until grep -qx "$1" /proc/$$/oom_score_adj; do sleep 0.01; done; cat /proc/self/oom_score_adj'
      const expected = String(Math.max(own, 500))
      const { stdout } = await run(['sh', '-c', script, 'sh', expected], { ...(terminal && { terminal }) })
      expect(String(stdout).trim()).toBe(expected)
    },
  )

  it('keeps 200 executions at once apart', async () => {
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, i) => run(bash, { stdin: `echo ${i}; exit ${i % 7}` })),
    )
    all.forEach(({ stdout, status }, i) => {
      expect([String(stdout), status]).toEqual([`${i}\n`, { kind: 'exited', code: i % 7 }])
    })
  })
})

/** In a pid namespace of its own nobody else takes numbers, and nobody else gets the number of another. */
const ownNumbers = ['--pid', '--fork', '--mount-proc']
const hasOwnNumbers = spawnSync('unshare', [...ownNumbers, 'true']).status === 0

/** How a process ends that got the number of a group while its output was read: the next one is above what is written. */
const numbersAgain = `
  import { spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { writeFileSync } from 'node:fs'
  import { setTimeout as delay } from 'node:timers/promises'
  import { loadEngine } from './dist/runtime/engine.js'
  import { execute } from './dist/runtime/execution.js'
  import { groupExists } from './dist/runtime/ending/kill-ladder.js'
  const path = process.env.PATH
  const argv = ['sh', '-c', 'head -c 200000 /dev/zero; sleep 0.1 & exit 0'].map((word) => Buffer.from(word))
  const command = { argv, environment: [Buffer.from('PATH=' + path)], path, cwd: '/', stdin: Buffer.alloc(0) }
  const options = { graceMs: 2000, instance: crypto.randomUUID(), marker: 'MARKER=x' }
  const execution = await execute(await loadEngine(), command, options)
  let stranger
  for await (const { data } of execution.output) {
    if (stranger !== undefined) continue
    while (groupExists(execution.pid)) await delay(5)
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(execution.pid - 1))
    stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  }
  await execution.exit
  const ended = once(stranger, 'exit')
  stranger.kill('SIGINT')
  console.log(stranger.pid === execution.pid, JSON.stringify(await ended))
`

it('an execution is not started when it is given up before its turn', async () => {
  const made = path.join(folder, 'made')
  const giveUp = new AbortController()
  const first = start(['echo', 'first'])
  const second = start(['touch', made], { signal: giveUp.signal })
  const third = start(['echo', 'third'])
  giveUp.abort(new Error('no longer wanted'))
  await expect(second).rejects.toThrow('no longer wanted')
  const said = await Promise.all(
    [first, third].map(async (started) => String((await outcome(await started)).stdout)),
  )
  expect(said).toEqual(['first\n', 'third\n'])
  expect(existsSync(made)).toBe(false)
})

it('an execution gives up on a command whose end never comes, and says so, instead of holding its session for ever', async () => {
  // What sudo or a disk that hangs make of a process cannot be had here; that nobody learns of its end can.
  const never = new Promise<never>(() => undefined)
  const silent = () => new PassThrough()
  const program = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  await using execution = new Execution(
    {
      pid: program.pid,
      stdout: silent(),
      stderr: silent(),
      reaped: never,
      exited: never,
      unread: () => 0,
    },
    { mark: undefined, marker: 'MARKER=unkillable' },
    { graceMs: 50 },
  )
  execution.terminate()
  expect(await outcome(execution)).toMatchObject({
    status: {
      kind: 'failed',
      cause: { message: `process ${program.pid} cannot be ended and continues to run` },
    },
  })
})
