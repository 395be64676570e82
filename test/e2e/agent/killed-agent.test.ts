import { signalChild } from '../../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { Program } from '../../support/sites/program.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

/** An agent of the built program with a gateway of its own; all agents of a workplace share the runtime folder. */
async function agentOf(place: Workplace, gateway: ScriptedGateway): Promise<Program> {
  place.write(`key-${gateway.port}`, gateway.key())
  const env = { RUNBOOK_AGENT_KILL_GRACE: '200ms' }
  const agent = new Program(place, ['start', '--key-file', `key-${gateway.port}`], env)
  await agent.says('stderr', /agent serving/)
  return agent
}

/** Starts a command with a secret file that leaves processes in every way it can, and waits; @returns all their pids */
async function runLeaving(gateway: ScriptedGateway): Promise<number[]> {
  const script = [
    'sleep 1000 > /dev/null 2>&1 & echo $!',
    'setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null 2>&1" &',
    '(setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null 2>&1" &)',
    `sh -c "trap '' TERM; echo \\$\\$; while :; do sleep 1; done 2>/dev/null >/dev/null" &`,
    'setsid env -i /bin/sh -c "echo \\$\\$; exec /bin/sleep 1000 > /dev/null 2>&1" &',
    '(env -i setsid /bin/sh -c "echo \\$\\$; exec /bin/sleep 1000 > /dev/null 2>&1" &)',
    'echo $$; wait; sleep 1000',
  ]
  const envVars = new Map([['filesystem:SECRET', base64('for this one')]])
  gateway.send('AgentSessionOpen', openSpec('s1', { envVars, clientOrigin: 'client' }))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, script.join('\n'))
  const lines = () => gateway.of('s1').map(({ payload }) => String(payload))
  const pids = () => lines().join('').trim().split('\n').map(Number)
  await waitFor(() => pids().length === 7)
  return pids()
}

/** Nobody's command: without an environment, in a session of its own, with a limit of file locks that its user has set. */
function stranger(): Disposable & { readonly pid: number } {
  const script = 'ulimit -S -x 123456789; exec env -i /bin/sleep 1000'
  const child = spawn('bash', ['-c', script], { detached: true, stdio: 'ignore' })
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => void signalChild(child, 'SIGKILL') }
}

const secretFiles = (place: Workplace) =>
  readdirSync(place.at('runtime'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.envfs'))

it('a file where the folder of the secret files should be stops no agent: it says so, and what it leaves is found', async () => {
  using place = new Workplace()
  const squatted = place.write(`runtime/runbook-agent-${process.geteuid?.() ?? 0}`, '')
  await using gateway = await ScriptedGateway.start()
  await using killed = await agentOf(place, gateway)
  expect(killed.stderr).toContain('secret files are written to another folder')
  expect(killed.stderr).toContain(`${squatted} is not a folder`)
  const pids = await runLeaving(gateway)
  killed.signal('SIGKILL')
  await killed.ended()
  expect(secretFiles(place)).toHaveLength(1)
  // The usual folder is free again: what lies beside it is found all the same.
  rmSync(squatted)
  await using next = await agentOf(place, gateway)
  expect(next.stderr).toContain('ended the commands of an agent that was killed')
  expect(pids.filter(isAlive)).toEqual([])
  expect(secretFiles(place)).toEqual([])
  next.signal('SIGTERM')
  await next.ended()
})

it('what an agent leaves that is killed with SIGKILL, files and processes, the next one ends, and nothing of one that lives or of strangers', async () => {
  using place = new Workplace()
  await using first = await ScriptedGateway.start()
  await using second = await ScriptedGateway.start()
  await using killed = await agentOf(place, first)
  await using living = await agentOf(place, second)
  using other = stranger()
  const [ofKilled, ofLiving] = [await runLeaving(first), await runLeaving(second)]
  killed.signal('SIGKILL')
  await killed.ended()
  expect(ofKilled.filter((pid) => !isAlive(pid))).toEqual([])
  expect(secretFiles(place)).toHaveLength(2)

  await using next = await agentOf(place, first)
  expect(next.stderr).toContain('ended the commands of an agent that was killed')
  expect(ofKilled.filter(isAlive)).toEqual([])
  expect([...ofLiving, other.pid].filter((pid) => !isAlive(pid))).toEqual([])
  expect(secretFiles(place)).toHaveLength(1)

  living.signal('SIGTERM')
  await living.says('stderr', /agent draining/)
  await living.stop()
  expect(ofLiving.filter(isAlive)).toEqual([])
  expect(secretFiles(place)).toEqual([])
})

it('an agent that is killed while it runs a session does not run the session again after its restart', async () => {
  using place = new Workplace()
  await using gateway = await ScriptedGateway.start()
  await using killed = await agentOf(place, gateway)
  const file = place.at('ran')
  const script = `echo once >> '${file}'; echo ready; exec sleep 1000`
  const send = () => {
    gateway.send('AgentSessionOpen', openSpec('s1', { clientOrigin: 'client' }))
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, script)
  }
  send()
  await waitFor(() => gateway.written('s1').includes('ready'))
  killed.signal('SIGKILL')
  await killed.ended()
  await using next = await agentOf(place, gateway)
  // As a gateway does that was restored from a copy of its database.
  send()
  const close = await gateway.closeOf('s1')
  expect(String(close.payload)).toContain('this agent has already started this session')
  expect(readFileSync(file, 'utf8')).toBe('once\n')
  await next.stop()
})
