import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { gatewayYaml } from '../../src/commands/dev/first-settings.ts'
import { Gate } from '../support/gate.ts'
import { childrenOf, descendantsOf, isAlive } from '../support/machine/processes.ts'
import { Rest } from '../support/scripted/rest.ts'
import type { ReadyLine } from '../support/sites/development.ts'
import { main } from '../support/sites/program.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { Shell } from '../support/terminals/shell.ts'
import { found, waitFor } from '../support/wait.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FREE_PORTS = '--http 127.0.0.1:0 --grpc 127.0.0.1:0'
const NOTHING_TO_SET_UP = ''

/** A checkout with the built program. `setup` stands for scripts/setup.mjs, which would build in the tests' own checkout. */
function checkout(place: Workplace, setup = NOTHING_TO_SET_UP): void {
  for (const file of ['package.json', 'scripts/prepare.mjs', 'scripts/start.mjs', 'scripts/dev.mjs'])
    cpSync(path.join(root, file), place.at(file))
  place.write('scripts/setup.mjs', setup)
  for (const folder of ['dist', 'node_modules']) mkdirSync(place.at(folder))
  symlinkSync(main, place.at('dist/main.js'))
  symlinkSync(path.join(root, 'node_modules/yaml'), place.at('node_modules/yaml'))
}

/** npm itself: its process is that of the shell. */
function npm(place: Workplace, words: string): Shell {
  return new Shell(place, `exec npm ${words}`, { npm_config_update_notifier: 'false' })
}

async function ready(run: Shell): Promise<ReadyLine> {
  const line = await found(() => /^\{.*\}$/m.exec(run.stdout)?.[0])
  return JSON.parse(line) as ReadyLine
}

/** Starts a script that waits, and then ends one process: nothing of npm, gateway, agent and script may stay. */
async function endsAll(
  script: string,
  { whom, signal }: { readonly whom: 'npm' | 'dev'; readonly signal: NodeJS.Signals },
) {
  using place = new Workplace()
  checkout(place)
  place.write('node_modules/typescript/bin/tsc', WATCHING)
  place.write('node_modules/vite/bin/vite.js', WATCHING)
  await using run = npm(place, `${script} -- --json ${FREE_PORTS}`)
  const { http, tokenFile } = await ready(run)
  using gate = new Gate(place)
  const reply = new Rest(http, readFileSync(tokenFile, 'utf8').trim())
    .script('bash', gate.script)
    .catch((error: unknown) => error)
  await gate.reached()
  const all = [run.pid, ...descendantsOf(run.pid)]
  const [child = NaN] = childrenOf(run.pid)
  process.kill(whom === 'npm' ? run.pid : child, signal)
  await waitFor(() => !all.some(isAlive))
  await reply
  return { processes: all.length, ...(await run.ended()) }
}

/** Stands for tsc and vite. */
const WATCHING = `console.log('Found 0 errors.'); setInterval(() => undefined, 1e6)`

describe.each(['start', 'run dev'])('npm %s leaves no process', (script) => {
  it.each([
    { whom: 'npm', signal: 'SIGKILL' },
    { whom: 'dev', signal: 'SIGKILL' },
  ] as const)('when $whom is killed', async (end) => {
    // npm, dev, git, agent, script at least.
    expect((await endsAll(script, end)).processes).toBeGreaterThanOrEqual(5)
  })

  it.each([
    { whom: 'npm', signal: 'SIGTERM' },
    { whom: 'npm', signal: 'SIGINT' },
  ] as const)('when $whom gets $signal, which npm passes on', async (end) => {
    expect(await endsAll(script, end)).toMatchObject({ code: 0 })
  })
})

describe('npm start', () => {
  it('ends in good order at one Ctrl-C, which reaches it from the terminal and from npm', async () => {
    using place = new Workplace()
    checkout(place)
    await using run = npm(place, `start -- --json ${FREE_PORTS}`)
    const { http, tokenFile } = await ready(run)
    using gate = new Gate(place)
    const reply = new Rest(http, readFileSync(tokenFile, 'utf8').trim()).script('bash', gate.script)
    await gate.reached()
    run.signal('SIGINT')
    expect((await reply).body).toMatchObject({ output_status: 'failed', exit_code: -2 })
    expect(await run.ended()).toMatchObject({ code: 0 })
  })

  it('prints the paths of the checkout, and commands that start the program', async () => {
    using place = new Workplace()
    checkout(place)
    await using run = npm(place, `start -- ${FREE_PORTS}`)
    await run.says('stdout', 'Ctrl-C ends the gateway and the agent.')
    expect(run.stdout).toContain(`token     in ${place.at('state/admin.token')}`)
    expect(run.stdout).toContain(`\nnode ${place.at('dist/main.js')} login --api-url`)
  })

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'ends its setup, and starts nothing, when npm gets %s',
    async (signal) => {
      using place = new Workplace()
      using gate = new Gate(place)
      checkout(
        place,
        `import { execFileSync } from 'node:child_process'; execFileSync('sh', ['-c', ${JSON.stringify(gate.script)}])`,
      )
      await using run = npm(place, `start -- ${FREE_PORTS}`)
      const [building] = await gate.reached()
      const all = [run.pid, ...descendantsOf(run.pid)]
      expect(all).toContain(building.pid)
      process.kill(run.pid, signal)
      await waitFor(() => !all.some(isAlive))
      expect((await run.ended()).stdout).not.toContain('gateway')
    },
  )

  it('exits with the code of a setup that failed', async () => {
    using place = new Workplace()
    checkout(place, 'process.exit(1)')
    await using run = npm(place, `start -- ${FREE_PORTS}`)
    expect(await run.ended()).toMatchObject({ code: 1 })
  })
})

describe('npm start, before it sets anything up,', () => {
  it.each([
    { given: '--http PORT', settings: undefined },
    { given: '--grpc=127.0.0.1:PORT', settings: undefined },
    { given: '', settings: 'listen: {http: 127.0.0.1:0, grpc: 127.0.0.1:PORT}' },
    { given: '', settings: 'listen:\n  http: PORT\n  grpc: 0' },
  ])('refuses a port that is in use: "$given", $settings', async ({ given, settings }) => {
    using place = new Workplace()
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const port = String((taken.address() as AddressInfo).port)
    checkout(place, `console.log('setup')`)
    if (settings !== undefined) place.write('state/gateway.yaml', settings.replace('PORT', port))
    await using run = npm(place, `start -- --state state ${given.replace('PORT', port)}`)
    const { code, stdout, stderr } = await run.ended()
    expect(code).toBe(78)
    expect(stderr).toMatch(new RegExp(`^cannot listen on \\S*${port}: the port is in use\\. [^\\n]+\\n$`))
    expect(stdout).not.toContain('setup')
    await new Promise((resolve) => taken.close(resolve))
  })

  it('knows the ports of the first settings', () => {
    const { listen } = parse(gatewayYaml({ hasPostgres: true })) as { listen: { http: string; grpc: string } }
    expect(readFileSync(path.join(root, 'scripts/prepare.mjs'), 'utf8')).toContain(
      `{ http: '${listen.http}', grpc: '${listen.grpc}' }`,
    )
  })
})
