import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { run } from '../../support/sites/execute.ts'

/** The line of /proc/PID/limits: name, soft, hard, unit. */
const limitOf = (text: string) => /^Max file locks +(\S+) +(\S+)/m.exec(text)?.slice(1)
const ownLimit = () => limitOf(readFileSync('/proc/self/limits', 'utf8'))
const show = 'cat /proc/self/limits'

async function limitsIn(script: string, terminal = false): Promise<string[]> {
  const size = { cols: 200, rows: 24 }
  const { stdout } = await run(['bash', '-c', script], terminal ? { terminal: size } : {})
  return [...String(stdout).matchAll(/^Max file locks +(\d+) +unlimited/gm)].map(([, soft = '']) => soft)
}

/** In a process of its own, with less room than everybody has. */
function underLimit(limit: string, script: string): string {
  const code = `
    import { loadEngine } from './dist/runtime/engine.js'
    import { execute } from './dist/runtime/execution.js'
    import { readFileSync } from 'node:fs'
    import { spawnSync } from 'node:child_process'
    const engine = await loadEngine()
    const path = process.env.PATH
    const started = async (script) => {
      const argv = ['bash', '-c', script].map((argument) => Buffer.from(argument))
      const marker = 'MARKER=' + crypto.randomUUID()
      const command = { argv, environment: [marker, 'PATH=' + path].map((one) => Buffer.from(one)), path, cwd: '/', stdin: Buffer.alloc(0) }
      return execute(engine, command, { graceMs: 200, instance: crypto.randomUUID(), marker })
    }
    const output = async (execution) => {
      let text = ''
      for await (const { data } of execution.output) text += data
      await execution.exit
      return text.trim()
    }
    const isAlive = (pid) => { try { return process.kill(pid, 0) } catch { return false } }
    ${script}`
  const words = ['-c', `${limit} exec "$0" --input-type=module -e "$1"`, process.execPath, code]
  const { stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8' })
  return stdout + stderr
}

describe('the mark of an execution', () => {
  it.each([
    ['through pipes', false],
    ['on a terminal', true],
  ])('is a soft limit of file locks that all of its processes have, started %s', async (_, terminal) => {
    const before = ownLimit()
    const limits = await limitsIn(
      `${show}; env -i /bin/${show}; setsid -w env -i /bin/sh -c '/bin/${show}'`,
      terminal,
    )
    expect([limits.length, new Set(limits).size]).toEqual([3, 1])
    expect(ownLimit()).toEqual(before)
  })

  it('is no other’s', async () => {
    const limits = await Promise.all(Array.from({ length: 20 }, () => limitsIn(show)))
    expect(new Set(limits.flat()).size).toBe(20)
  })

  it('is not kept by who starts, when the start fails', async () => {
    const before = ownLimit()
    expect(await run(['/proc/self/limits'])).toMatchObject({ status: { kind: 'failed' } })
    expect(ownLimit()).toEqual(before)
  })
})

describe('an engine without room for marks', () => {
  const left = `'read pid < <(setsid sh -c "echo \\\\$\\\\$; exec sleep 1000 > /dev/null 2>&1"); echo $pid'`

  it('says why, and ends what keeps its environment all the same', () => {
    const said = underLimit(
      'ulimit -x 1000;',
      `engine.guard()
      const other = await started('exec sleep 1000')
      const pid = Number(await output(await started(${left})))
      console.log(engine.unmarked, pid > 1, isAlive(pid))
      other.terminate()
      await output(other)`,
    )
    expect(said).toBe('prlimit: EINVAL true false\n')
  })

  it('leaves alone what has no sign at all while another command starts, whose it may be', () => {
    const emptied = `'read pid < <(setsid env -i /bin/sh -c "echo \\\\$\\\\$; exec /bin/sleep 1000 > /dev/null 2>&1"); echo $pid'`
    const said = underLimit(
      'ulimit -x 1000;',
      `engine.guard()
      const { registerOwner, unregisterOwner } = await import('./dist/runtime/ending/orphans.js')
      const starting = registerOwner({ mark: undefined, marker: 'MARKER=starting' }, false)
      const pid = Number(await output(await started(${emptied})))
      console.log(pid > 1, isAlive(pid))
      unregisterOwner(starting)
      await output(await started('true'))
      console.log(isAlive(pid))`,
    )
    expect(said).toBe('true true\nfalse\n')
  })

  it('does not take what has no mark for nobody’s when somebody takes the room away while the agent runs', () => {
    const said = underLimit(
      '',
      `engine.guard()
      spawnSync('prlimit', ['--pid', String(process.pid), '--locks=1000:1000'])
      const other = await started('setsid env -i /bin/sh -c "echo \\\\$\\\\$; exec /bin/sleep 1000 2> /dev/null" & exec sleep 1000')
      for await (const { data } of other.output) {
        const pid = Number(String(data))
        await output(await started('true'))
        console.log(pid > 1, isAlive(pid))
        other.terminate()
      }
      await other.exit`,
    )
    expect(said).toBe('true true\n')
  })
})
