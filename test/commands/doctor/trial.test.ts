import { describe, expect, it, onTestFinished } from 'vitest'
import { trials, TrialProcess } from '../../../src/commands/doctor/trial.ts'
import type { Engine } from '../../../src/runtime/engine.ts'
import { startPortable } from '../../../src/runtime/portable-engine.ts'
import { engine } from '../../support/sites/execute.ts'
import { descendantsOf } from '../../support/machine/processes.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// The engine of this system without `guard`, which is for a process that runs commands and nothing else.

const { signal } = new AbortController()
const portable: Engine = { ...engine, name: 'portable', reason: 'for the test', start: startPortable }

describe('a command that is tried', () => {
  it('is in order on the posix engine, as plain command and on a terminal', async () => {
    expect(await trials.command(engine, signal)).toMatchObject({ level: 'ok' })
    expect(await trials.terminal(engine, signal)).toMatchObject({ level: 'ok' })
  })

  it('shows what the portable engine lacks', async () => {
    expect(await trials.command(portable, signal)).toMatchObject({
      level: 'warning',
      found: expect.stringMatching(/its exit code is \d+ instead of 7: .*\/dev\/std/) as string,
    })
    expect(await trials.terminal(portable, signal)).toMatchObject({ level: 'warning' })
  })

  it('is broken without a shell in PATH', async () => {
    const before = process.env['PATH']
    process.env['PATH'] = '/none'
    onTestFinished(() => void (process.env['PATH'] = before))
    expect(await trials.command(engine, signal)).toMatchObject({
      level: 'broken',
      found: expect.stringMatching(/^sh cannot be started: exec: "sh": executable file not found/) as string,
    })
    expect(await trials.terminal(engine, signal)).toMatchObject({ level: 'broken' })
    expect(await trials.environ(engine, signal)).toBeUndefined()
  })

  it('can read the environment of a process that does not guard itself', async () => {
    expect(await trials.environ(engine, signal)).toBe(true)
  })

  it('is ended when the time for it is over', async () => {
    const life = new AbortController()
    const before = descendantsOf(process.pid).length
    const tried = trials.cleanup({ ...engine, start: neverEnding }, life.signal)
    await waitFor(() => descendantsOf(process.pid).length > before)
    life.abort()
    expect((await tried).level).toBe('skipped')
  })

  it('is ended also when the time was over while it was started', async () => {
    const life = new AbortController()
    const start: Engine['start'] = async (command) => {
      const child = await neverEnding(command)
      life.abort()
      return child
    }
    expect((await trials.cleanup({ ...engine, start }, life.signal)).level).toBe('skipped')
  })
})

describe('what a command leaves behind', () => {
  it.each([
    ['broken', engine],
    ['warning', portable],
  ] as const)('and nobody follows is %s, and ended by the check itself', async (level, unguarded) => {
    const finding = await trials.cleanup(unguarded, signal)
    expect(finding.level).toBe(level)
    if (level === 'broken')
      expect(finding.found).toBe(
        'a command was not ended completely, still running: a process outside the group',
      )
  })
})

describe('the process for commands', () => {
  it('that cannot be started is an answer as well', async () => {
    await using trial = new TrialProcess('/none/main.js')
    await expect(trial.ask('command', signal)).rejects.toThrow('the process for test commands has ended')
  })

  it('is not waited for beyond the signal', async () => {
    using place = new Workplace()
    // It reads what it is asked, and answers nothing.
    await using trial = new TrialProcess(place.write('deaf.mjs', "process.on('message', () => undefined)\n"))
    const life = new AbortController()
    const asked = trial.ask('command', life.signal)
    life.abort()
    await expect(asked).rejects.toThrow('The operation was aborted')
  })
})

/** Instead of the program that was asked for. */
function neverEnding(command: Parameters<Engine['start']>[0]): ReturnType<Engine['start']> {
  return engine.start({ ...command, argv: ['sleep', '1000'].map((word) => Buffer.from(word)) })
}
