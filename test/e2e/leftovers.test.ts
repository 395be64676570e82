import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Site } from '../support/site.ts'

// What a command starts in sessions of its own, out of reach of any signal to its group. The agent is the
// subreaper of all its descendants, so this needs the built program: the test's own process is none.

const gone = (pid: string) => !existsSync(`/proc/${pid}`)

/** Processes, wherever they hang, that have an entry in their environment. */
function marked(entry: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environment(pid).includes(`\0${entry}\0`))
}

function environment(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
  } catch {
    return ''
  }
}

describe('what a command leaves behind is ended before it is answered', () => {
  it.each([
    ['a background process', 'sleep 1000 > /dev/null 2>&1 & echo $!'],
    [
      'one in a session of its own',
      'setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null 2>&1" & wait $!; sleep 0.1',
    ],
    ['a double fork', '(setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null 2>&1" &) ; sleep 0.1'],
    [
      'one without the environment',
      'setsid env -i /bin/sh -c "echo \\$\\$; exec /bin/sleep 1000 > /dev/null 2>&1" & sleep 0.1',
    ],
    [
      'one that ignores SIGTERM',
      `setsid sh -c "trap '' TERM; echo \\$\\$; while :; do sleep 1; done > /dev/null 2>&1" & sleep 0.1`,
    ],
  ])('%s', async (_, script) => {
    await using site = await Site.start({ env: { RUNBOOK_AGENT_KILL_GRACE: '200ms' } })
    const { body } = await site.rest.script('bash', script.replace('wait $!; ', ''))
    const pids = body.output.trim().split('\n')
    expect(pids.length).toBe(1)
    expect(pids.filter((pid) => !gone(pid))).toEqual([])
    expect(body.exit_code).toBe(0)
  })

  it('a storm of forks that starts anew with every process that ends', async () => {
    await using site = await Site.start({ env: { RUNBOOK_AGENT_KILL_GRACE: '200ms' } })
    const storm =
      'storm() { trap "setsid bash -c storm & exit" TERM; while :; do sleep 0.05; done; }; export -f storm; for i in 1 2 3 4 5; do setsid bash -c storm > /dev/null 2>&1 & done; sleep 0.2'
    const { body } = await site.rest.script('bash', storm)
    expect(body.exit_code).toBe(0)
    expect(marked(`HOOP_SESSION_ID=${body.session_id}`)).toEqual([])
  })

  it('of two executions only the one that is over loses its background process', async () => {
    await using site = await Site.start()
    const background = 'setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null 2>&1" &'
    const running = site.rest.script('bash', `${background} sleep 1.5`)
    const { body } = await site.rest.script('bash', `${background} sleep 0.3`)
    expect(gone(body.output.trim())).toBe(true)
    const first = (await running).body.output.trim()
    expect(first).toMatch(/^\d+$/)
    expect(gone(first)).toBe(true)
  })
})
