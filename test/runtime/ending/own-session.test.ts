import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

// Beside commands, the agent has children that Node starts: helpers of SDKs. They are in its session and its group.

/** Longer than any script here takes: one that waits for an exit that never comes is ended. */
const STUCK_MS = 60_000

/** Runs in a process with a session of its own: what goes wrong ends it, and not this one. */
function inOwnSession(script: string): string {
  const code = `
    import { loadEngine } from './dist/runtime/engine.js'
    import { execute } from './dist/runtime/execution.js'
    import { endGroup, hangUp } from './dist/runtime/ending/kill-ladder.js'
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { existsSync, readFileSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    const engine = await loadEngine()
    engine.guard()
    const path = process.env.PATH
    const runs = async (script) => {
      const argv = ['bash', '-c', script].map((argument) => Buffer.from(argument))
      const marker = 'MARKER=' + crypto.randomUUID()
      const command = { argv, environment: [marker, 'PATH=' + path].map((one) => Buffer.from(one)), path, cwd: '/', stdin: Buffer.alloc(0) }
      const execution = await execute(engine, command, { graceMs: 200, instance: crypto.randomUUID(), marker })
      for await (const _ of execution.output);
      await execution.exit
      return execution.processesEnded
    }
    ${script}`
  const words = ['-w', process.execPath, '--input-type=module', '-e', code]
  const { stdout, stderr } = spawnSync('setsid', words, { encoding: 'utf8', timeout: STUCK_MS })
  return stdout + stderr
}

describe('a child that Node has started', () => {
  it('is neither ended by the end of an execution nor its group signalled, and Node gets its exit', () => {
    const said = inOwnSession(`
      const helper = spawn('sh', ['-c', 'read line; exit 7'])
      console.log(await runs('true'), helper.exitCode, helper.signalCode)
      helper.stdin.end('go on\\n')
      console.log(...(await once(helper, 'exit')))
      console.log(await runs('read pid < <(setsid sh -c "echo \\\\$\\\\$; exec sleep 1000 > /dev/null 2>&1"); echo $pid'))`)
    expect(said).toBe('0 null null\n7 null\n1\n')
  })

  it('tells Node its exit when it ends at the same time as executions', () => {
    const said = inOwnSession(`
      const codes = Array.from({ length: 20 }, (_, code) => once(spawn('sh', ['-c', 'exit ' + code]), 'exit'))
      await Promise.all(Array.from({ length: 10 }, () => runs('true')))
      console.log((await Promise.all(codes)).map(([code]) => code).join(' '))`)
    expect(said).toBe(`${Array.from({ length: 20 }, (_, code) => code).join(' ')}\n`)
  })

  it('may leave a process in the session, which is collected when it has ended', () => {
    const said = inOwnSession(`
      const helper = spawn('sh', ['-c', 'sleep 1000 > /dev/null & echo $!'])
      const [data] = await once(helper.stdout, 'data')
      if (helper.exitCode === null) await once(helper, 'exit')
      const pid = Number(String(data))
      const left = '/proc/' + pid
      console.log(await runs('true'), readFileSync(left + '/stat', 'utf8').includes(') S '))
      process.kill(pid)
      while (existsSync(left)) await delay(20)
      console.log('gone')`)
    expect(said).toBe('0 true\ngone\n')
  })
})

it('no way to end a group or a terminal signals the own group', () => {
  const said = inOwnSession(`
    for (const own of [process.pid, 0]) await endGroup(own, 0)
    await hangUp(process.pid, 0)
    console.log('alive')`)
  expect(said).toBe('alive\n')
})
