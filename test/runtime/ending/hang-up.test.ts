import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { adoptOrphans } from '../../../src/runtime/ending/orphans.ts'
import { Console } from '../../support/terminals/console.ts'
import type { Run } from '../../support/sites/execute.ts'
import { childrenOf, commandLineOf, descendantsOf } from '../../support/machine/processes.ts'
import { waitFor } from '../../support/wait.ts'

// This process adopts, so it must start nothing by child_process: it would collect it.
beforeAll(adoptOrphans)

let markers = 0
/** What escapes is known by the marker. */
const own = (run: Run = {}): Run => ({ marker: `MARKER=hang-up-${++markers}`, ...run })
const gone = (pids: readonly number[]) => pids.every((pid) => !existsSync(`/proc/${pid}`))
const children = (shell: Console, program: string) =>
  childrenOf(shell.pid).filter((pid) => commandLineOf(pid).startsWith(program))

async function job(shell: Console, line: string, program = 'sleep'): Promise<number[]> {
  const before = children(shell, program)
  shell.type(`${line}\r`)
  const added = () => children(shell, program).filter((pid) => !before.includes(pid))
  await waitFor(() => added().length > 0)
  return added()
}

async function ready(script: string, run: Run = {}): Promise<Console> {
  const program = await Console.start(['bash', '-c', script], own(run))
  await program.says(/ready/)
  return program
}

describe('a terminal that is ended', () => {
  it('ends an interactive shell, which ignores SIGTERM, by SIGHUP', async () => {
    const shell = await Console.shell(own())
    shell.execution.terminate()
    expect(await shell.ended).toEqual({ kind: 'signaled', signal: 'SIGHUP' })
  })

  it('ends its jobs: in the foreground, in the background, stopped', async () => {
    const shell = await Console.shell(own())
    const stopped = await job(shell, 'sleep 1001')
    shell.type('\u001a')
    await shell.says(/Stopped/)
    const background = await job(shell, 'sleep 1002 &')
    const foreground = await job(shell, 'sleep 1003')
    shell.execution.terminate()
    expect(await shell.ended).toEqual({ kind: 'signaled', signal: 'SIGHUP' })
    expect(gone([...stopped, ...background, ...foreground])).toBe(true)
  })

  it('tells the jobs of a shell that does not tell them itself', async () => {
    const job = `trap "echo job hung up; exit" HUP; echo re""ady; while :; do sleep 0.01; done`
    const shell = await ready(`trap : HUP TERM; set -m; (${job}) & while :; do sleep 0.01; done`, {
      graceMs: 1000,
    })
    const [pid = 0] = descendantsOf(shell.pid)
    shell.execution.terminate()
    expect(await shell.ended).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
    expect(shell.output.toString()).toContain('job hung up')
    expect(gone([pid])).toBe(true)
  })

  it('says SIGTERM to what ignores the hangup, and SIGKILL to what ignores both', async () => {
    const trap = `trap 'echo hup' HUP; trap 'echo term' TERM; echo ready; while :; do sleep 0.01; done`
    const program = await ready(trap, { graceMs: 400 })
    program.execution.terminate()
    expect(await program.ended).toEqual({ kind: 'signaled', signal: 'SIGKILL' })
    expect(program.output.toString()).toMatch(/hup[^]*term\r\n$/)
  })

  it('ends a program that is stopped', async () => {
    const program = await ready('echo ready; kill -STOP $$')
    program.execution.terminate()
    expect(await program.ended).toEqual({ kind: 'signaled', signal: 'SIGHUP' })
  })

  it('ends what left its session, and what shed its terminal besides', async () => {
    const program = await ready(
      '(setsid sleep 1001 < /dev/null > /dev/null 2>&1 &); (setsid sleep 1002 &); nohup sleep 1003 > /dev/null 2>&1 & echo ready; exec sleep 1000',
    )
    const sleeping = () => descendantsOf(process.pid).filter((pid) => /^sleep 100\d/.test(commandLineOf(pid)))
    // One after the other, after the shell has said that it is ready; the shell is the fourth.
    await waitFor(() => sleeping().length === 4)
    const started = sleeping()
    program.execution.terminate()
    await program.ended
    expect(gone(started)).toBe(true)
  })

  it('is over as soon as its processes are, although their ends come as one signal', async () => {
    // The grace and the wait behind it together are longer than this test may take.
    for (let round = 0; round < 20; round++) {
      const program = await ready('echo ready; sleep 1000; :', { graceMs: 60_000 })
      program.execution.terminate()
      expect(await program.ended).toEqual({ kind: 'signaled', signal: 'SIGHUP' })
    }
  })
})

describe('a terminal whose program has ended', () => {
  it.each(['sleep 1000', 'while :; do echo chatter; sleep 0.01; done'])(
    'is over, although a background process holds it: %s',
    async (background) => {
      const program = await Console.start(
        ['bash', '-c', `trap '' HUP; (${background}) & echo last; exit 3`],
        own(),
      )
      expect(await program.ended).toEqual({ kind: 'exited', code: 3 })
      expect(program.output.toString()).toContain('last\r\n')
      expect(program.execution.processesEnded).toBeGreaterThan(0)
      expect(descendantsOf(process.pid)).toEqual([])
    },
  )

  it('leaves nothing of the jobs of its shell', async () => {
    const shell = await Console.shell(own())
    const background = await job(shell, 'nohup sleep 1001 > /dev/null 2>&1 &')
    shell.type('sleep 1002\r')
    await waitFor(() => children(shell, 'sleep').length === 2)
    const stopped = children(shell, 'sleep')
    shell.type('\u001a')
    await shell.says(/Stopped/)
    // Twice: the first time the shell says that there are stopped jobs.
    shell.type('exit\rexit\r')
    expect(await shell.ended).toMatchObject({ kind: 'exited' })
    expect(gone([...background, ...stopped])).toBe(true)
  })

  it('shows all that its program wrote, however slowly it is read', async () => {
    const program = await Console.start(
      ['sh', '-c', 'stty -opost; head -c 300000 /dev/zero | tr "\\0" x'],
      own(),
    )
    await program.ended
    expect(program.output.toString()).toBe('x'.repeat(300_000))
  })
})
