import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { main } from '../../../support/sites/program.ts'
import { shell } from '../../../support/terminals/shell.ts'
import { hasTmux, Tmux } from '../../../support/terminals/tmux.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

// `run --local` of the built program: a runbook on this machine, no gateway, nobody signed in.

const settings = `
users: [{ name: admin, token: a-token-for-tests-0123456789 }]
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections:
  - { name: reports, agent: local, command: [bash, -s, --], env: { GREETING: hello } }
`
const runbook = `echo "$GREETING {{ .name | description "whom to greet" | required "name it" }} {{ .count | type "number" | default "3" }} $1"
{{ .password | type "password" | asenv "PASSWORD" }}echo "$PASSWORD" "$(cat "$EXTRA")"; exit 5
`

let place: Workplace

beforeEach(() => {
  place = new Workplace()
  place.write('gateway.yaml', settings)
  place.write('hello.runbook.sh', runbook)
  place.write('extra', 'from a file')
})

afterEach(() => {
  const left = readdirSync(place.path, { recursive: true }).map(String)
  expect(left.filter((name) => name.startsWith('runtime/') && name.includes('/s-'))).toEqual([])
  place[Symbol.dispose]()
})

const RUN = 'runbook-agent run --local reports hello.runbook.sh --config gateway.yaml'

describe('run --local', () => {
  test('renders a file, runs it on the connection of the settings, and exits with its code', async () => {
    const line = `${RUN} -p name=world -p password=secret -f EXTRA=extra -- argument`
    expect(await shell(place, line)).toEqual({
      code: 5,
      stdout: 'hello world 3 argument\nsecret from a file\n',
      stderr: '',
    })
  })

  test('runs it with the words as a command where there are no settings', async () => {
    place.write('plain.sh', 'echo "got {{ .x }}"')
    const line = 'runbook-agent run --local any plain.sh -p x=y -- bash'
    expect(await shell(place, line)).toEqual({ code: 0, stdout: 'got y\n', stderr: '' })
  })

  test('takes a parameter that only a block uses, and no other', async () => {
    place.write('block.sh', '{{ if .loud }}echo {{ .loud }}{{ end }}')
    const line = 'runbook-agent run --local any block.sh --dry-run -p'
    expect(await shell(place, `${line} loud=yes`)).toMatchObject({ code: 0, stdout: 'echo yes', stderr: '' })
    const { code, stderr } = await shell(place, `${line} laud=yes`)
    expect([code, stderr]).toEqual([64, expect.stringContaining('did you mean loud?')])
  })

  test('shows the script instead with --dry-run', async () => {
    place.write('plain.sh', 'echo "got {{ .x }}"\n')
    const line = 'runbook-agent run --local any plain.sh -p x=y --dry-run'
    expect(await shell(place, line)).toEqual({ code: 0, stdout: 'echo "got y"\n', stderr: '' })
  })

  test('lists what is missing, and refuses what it cannot do, with 64', async () => {
    const missing = await shell(place, `${RUN} -p password=secret`)
    expect(missing.code).toBe(64)
    expect(missing.stderr).toMatch(/missing parameter of hello\.runbook\.sh:\n {2}name {2}whom to greet/)
    place.write('broken.sh', '{{ .x ')
    const lines = {
      'runbook-agent run --local any broken.sh -- bash': /^runbook-agent: broken\.sh: /,
      'runbook-agent run --local any nowhere.sh -- bash': /^runbook-agent: nowhere\.sh does not exist\n/,
      [`${RUN} --ref 0123456`]: /--local runs a file on this machine/,
      'runbook-agent run reports hello.runbook.sh --config gateway.yaml': /--config needs --local/,
    }
    for (const [line, text] of Object.entries(lines)) {
      const { code, stderr } = await shell(place, line)
      expect([code, stderr]).toEqual([64, expect.stringMatching(text)])
    }
  })

  test.skipIf(!hasTmux)('asks a person for the parameters that are missing (tmux)', async () => {
    place.write(
      'ask',
      `${process.execPath} ${main} ${RUN.replace('runbook-agent ', '')} -f EXTRA=extra; echo "code $?"\n`,
    )
    using tmux = new Tmux(place)
    tmux.enter('. ./ask')
    await tmux.shows(/name: whom to greet/)
    tmux.enter('world')
    await tmux.shows(/count/)
    tmux.press('Enter')
    await tmux.shows(/password/)
    tmux.enter('secret')
    await tmux.shows(/^hello world 3 ?\nsecret from a file\ncode 5$/m)
  })
})
