import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

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

const sleeping = (program: string) => program.replace('REST', 'exec /bin/sleep 1000')
const restless = 'for i in {1..1000}; do setsid -w env -i /bin/true; done; exec /bin/sleep 1000'
/** How what is left gets out of its group, its session, its environment, its parents' sight. */
const ways: readonly ((program: string) => string)[] = [
  (program) => `${sleeping(program)} &`,
  (program) => `setsid ${sleeping(program)} &`,
  (program) => `(setsid ${sleeping(program)} &)`,
  (program) => `env -i ${sleeping(program)} &`,
  (program) => `env -i setsid ${sleeping(program)} &`,
  (program) => `setsid env -i ${sleeping(program)} &`,
  (program) => `(setsid env -i ${sleeping(program)} &)`,
  (program) => `(env -i setsid ${sleeping(program)} &)`,
  (program) => `(setsid env -i ${program.replace('REST', restless)} &)`,
  (program) => `(setsid env -i /bin/bash -c ${quoted(`setsid ${sleeping(program)} &`)} &)`,
]
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

describe('what a command leaves behind is ended before it is answered', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.start({ env: { RUNBOOK_AGENT_KILL_GRACE: '200ms' } })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  it.each([
    ['a background process', 'sh -c "REST" &'],
    ['one in a session of its own', 'setsid sh -c "REST" &'],
    ['a double fork', '(setsid sh -c "REST" &)'],
    ['one without the environment', 'setsid env -i /bin/sh -c "REST" &'],
    [
      'one that ignores SIGTERM',
      `setsid sh -c "trap '' TERM; SAY; while :; do sleep 1; done > /dev/null 2>&1" &`,
    ],
  ])('%s', async (what, script) => {
    const file = site.place.at(what)
    const left = script
      .replace('REST', 'SAY; exec /bin/sleep 1000 > /dev/null 2>&1')
      .replace('SAY', `echo \\$\\$ > '${file}'`)
    const { body } = await site.rest.script(
      'bash',
      `${left}\nuntil [ -s '${file}' ]; do sleep 0.05; done; cat '${file}'`,
    )
    expect(body).toMatchObject({ exit_code: 0, output: expect.stringMatching(/^\d+\n$/) as string })
    expect(gone(body.output.trim())).toBe(true)
  })

  it('a storm of forks that starts anew with every process that ends', async () => {
    const storm =
      'storm() { trap "setsid bash -c storm & exit" TERM; while :; do sleep 0.05; done; }; export -f storm; for i in 1 2 3 4 5; do setsid bash -c storm > /dev/null 2>&1 & done; sleep 0.2'
    const { body } = await site.rest.script('bash', storm)
    expect(body.exit_code).toBe(0)
    expect(marked(`HOOP_SESSION_ID=${body.session_id}`)).toEqual([])
  })

  it('of twenty executions at once only those that are over lose what they left, whatever it shed', async () => {
    const file = (name: string) => site.place.at(name)
    const pidOf = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').trim() : '')
    /** Ends when what it leaves has shed all it sheds, and `until` is there. */
    const execute = (name: string, shed: (program: string) => string, until = name) =>
      site.rest.script(
        'bash',
        `${shed(`/bin/bash -c 'echo $$ > ${file(name)}; exec > /dev/null 2>&1; REST'`)}
        until [ -s ${file(name)} ] && [ -e ${file(until)} ]; do sleep 0.05; done`,
      )
    const names = (kind: string) => ways.map((_, index) => `${kind}-${index}`)
    const living = names('living').map((name, index) => execute(name, ways[index] ?? String, 'go'))
    await waitFor(() => names('living').every((name) => pidOf(name) !== ''), 30_000)
    const over = names('over').map((name, index) => execute(name, ways[index] ?? String))
    for (const { body } of await Promise.all(over)) expect(body).toMatchObject({ exit_code: 0, output: '' })
    expect(names('over').filter((name) => !gone(pidOf(name)))).toEqual([])
    expect(names('living').filter((name) => gone(pidOf(name)))).toEqual([])
    site.place.write('go', '')
    for (const { body } of await Promise.all(living)) expect(body).toMatchObject({ exit_code: 0 })
    expect(names('living').filter((name) => !gone(pidOf(name)))).toEqual([])
  })
})
