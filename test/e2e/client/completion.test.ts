import { spawnSync } from 'node:child_process'
import { writeFileSync, chmodSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { main, runProgram } from '../../support/sites/program.ts'
import { RunbookGateway } from '../../support/sites/runbook-gateway.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { missingProgram } from '../../support/machine/servers.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const ID = '5701046a-7b7a-4a78-abb0-a24c95e6fe54'

async function gateway(): Promise<RunbookGateway> {
  const gateway = await RunbookGateway.start(
    {
      name: 'ops/report.runbook.sql',
      metadata: { state: { options: ['active', 'idle'] }, name: { description: 'who' } },
    },
    { name: 'ops/with space.runbook.sh' },
  )
  gateway.rest.on(
    'GET /api/reviews',
    json(200, [{ id: '5474d29f', status: 'PENDING', created_at: '2026-11-25T19:55:47Z' }]),
  )
  gateway.rest.on('GET /api/sessions', json(200, { data: [{ id: ID, status: 'done', connection: 'pg' }] }))
  return gateway
}

describe('complete', () => {
  it.each([
    ['a command', ['ses'], 'sessions\t'],
    ['a command below a command', ['sessions', 'ki'], 'kill\t'],
    ['a flag', ['run', '--dry'], '--dry-run\t'],
    ['a command below another word for a command', ['session', 'ki'], 'kill\t'],
    ['a format', ['agents', 'list', '--format', 't'], 'table\n'],
    ['no other word for a command', ['sessio'], 'sessions\t'],
    ['a shell', ['completion', 'z'], 'zsh\n'],
    ['a connection', ['run', 'p'], 'pg\n'],
    ['a connection of exec', ['exec', 'b'], 'bash\n'],
    ['a connection of a flag', ['sessions', 'list', '--connection', 'p'], 'pg\n'],
    ['a runbook', ['run', 'pg', 'ops/r'], 'ops/report.runbook.sql\n'],
    ['a runbook behind flags', ['run', '--json', '-e', 'A=1', 'pg', 'ops/r'], 'ops/report.runbook.sql\n'],
    ['a parameter', ['run', 'pg', 'ops/report.runbook.sql', '-p', 'na'], 'name=\twho\n'],
    ['a value of a parameter', ['run', 'pg', 'ops/report.runbook.sql', '-p', 'state=i'], 'state=idle\n'],
    ['a session', ['sessions', 'output', '5701'], `${ID}\tpg done\n`],
    ['a runbook of any connection', ['runbooks', 'show', 'ops/r'], 'ops/report.runbook.sql\n'],
    ['a runbook of a flag', ['sessions', 'list', '--runbook', 'ops/r'], 'ops/report.runbook.sql\n'],
    ['a review', ['reviews', 'approve', '547'], '5474d29f\tpending 2026'],
    ['a state', ['sessions', 'list', '--status', 'rea'], 'ready\n'],
    ['a settings file', ['config', 'check', ''], ':files\n'],
    ['whose settings', ['config', 'schema', 'g'], 'gateway\n'],
    ['a file', ['login', '--token-file', ''], ':files\n'],
    ['nothing that is not there', ['run', 'zz'], ''],
    ['no hidden command', ['doctor-'], ''],
  ])('knows %s', async (_, words, expected) => {
    await using site = await gateway()
    using place = new Workplace()
    const ended = await runProgram(place, ['complete', '--', ...words], site.env)
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    expect(ended.stdout.startsWith(expected), ended.stdout).toBe(true)
    if (expected === '') expect(ended.stdout).toBe('')
  })

  it('prints nothing, and says nothing, without an account, a gateway, or with one that is silent', async () => {
    using place = new Workplace()
    await using site = await gateway()
    site.rest.on('GET /api/connections', () => undefined)
    for (const env of [{}, { ...site.env, HOOP_APIURL: 'http://127.0.0.1:1' }, site.env])
      expect(await runProgram(place, ['complete', '--', 'run', ''], env)).toMatchObject({
        ...{ code: 0, stdout: '', stderr: '' },
      })
  })

  it('leaves out names that a shell or a terminal would obey', async () => {
    using place = new Workplace()
    await using site = await gateway()
    site.rest.on(
      'GET /api/connections',
      json(200, [{ name: 'a\nb' }, { name: 'c\u001b[2J' }, { name: 'good' }]),
    )
    expect((await runProgram(place, ['complete', '--', 'run', ''], site.env)).stdout).toBe('good\n')
  })

  it.each([
    ['an operand', ['run']],
    ['the value of a flag', ['sessions', 'list', '--connection']],
  ])('leaves out names that would be a flag, or a mark of the scripts, as %s', async (_, words) => {
    using place = new Workplace()
    await using site = await gateway()
    const names = ['--config', '-h', ':files', ':filesystem', 'a-b']
    site.rest.on(
      'GET /api/connections',
      json(
        200,
        names.map((name) => ({ name })),
      ),
    )
    const { stdout } = await runProgram(place, ['complete', '--', ...words, ''], site.env)
    expect(stdout).toBe(':filesystem\na-b\n')
  })
})

it.skipIf((missingProgram('bash') ?? (hasTmux ? undefined : 'tmux')) !== undefined)(
  'bash types nothing at a value that is free',
  async () => {
    await using site = await gateway()
    using place = new Workplace()
    installProgram(place)
    const path = `${place.at('bin')}:${place.env['PATH'] ?? ''}`
    using screen = new Tmux(place, { ...site.env, PATH: path, TERM: 'xterm-256color' })
    screen.enter(START.bash)
    await screen.shows(/ready/)
    screen.type('runbook-agent run pg ops/report.runbook.sql -p name=')
    screen.press('Tab')
    screen.type('typed')
    await screen.shows(/name=typed/)
  },
)

describe.each(['bash', 'zsh', 'fish'] as const)('the script for %s', (shell) => {
  const missing = missingProgram(shell) ?? (hasTmux ? undefined : 'tmux')

  it.skipIf(missing !== undefined)('is one that the shell understands', async () => {
    using place = new Workplace()
    const { stdout, code } = await runProgram(place, ['completion', shell])
    expect(code).toBe(0)
    const file = place.write(`script.${shell}`, stdout)
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
    expect([checked.status, checked.stderr]).toEqual([0, ''])
  })

  it.skipIf(missing !== undefined)('completes at the prompt of a real one', async () => {
    await using site = await gateway()
    using place = new Workplace()
    installProgram(place)
    using screen = new Tmux(place, {
      ...site.env,
      PATH: `${place.at('bin')}:${place.env['PATH'] ?? ''}`,
      TERM: 'xterm-256color',
    })
    screen.enter(START[shell])
    await screen.shows(/ready/)
    screen.press('C-l')
    await screen.showsNot(/ready/)
    for (const [typed, completed] of [
      ['runbook-agent sess', 'runbook-agent sessions'],
      ['runbook-agent run p', 'runbook-agent run pg'],
      ['runbook-agent run pg ops/rep', 'runbook-agent run pg ops/report.runbook.sql'],
      ['runbook-agent run pg ops/report.runbook.sql -p sta', '-p state='],
      ['runbook-agent run pg ops/report.runbook.sql -p state=i', '-p state=idle'],
      ['runbook-agent sessions kill 57', `sessions kill ${ID}`],
    ] as const) {
      screen.type(typed)
      screen.press('Tab')
      await screen.shows(new RegExp(completed.replaceAll(/[.]/g, String.raw`\.`)))
      screen.press('C-u')
      await screen.showsNot(/runbook-agent/)
    }
  })
})

/** Into a shell with the script loaded, which says when it is ready. */
const START = {
  bash: 'source <(runbook-agent completion bash); echo rea""dy',
  zsh: 'exec zsh -i',
  fish: `exec fish --no-config -i -C 'runbook-agent completion fish | source; echo rea""dy'`,
}

function installProgram(place: Workplace): void {
  const file = place.write('bin/runbook-agent', `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(file, 0o755)
  // A shell of its own keeps what was loaded only in its own start-up file.
  writeFileSync(
    place.at('home', '.zshrc'),
    'autoload -Uz compinit; compinit -u; source <(runbook-agent completion zsh); PS1="$ "; echo rea""dy\n',
  )
}
