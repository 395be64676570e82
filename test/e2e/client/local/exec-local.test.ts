import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isAlive } from '../../../support/machine/processes.ts'
import { shell, Shell } from '../../../support/terminals/shell.ts'
import { waitFor } from '../../../support/wait.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

// `exec --local` of the built program: no gateway, no agent, nobody signed in.

let place: Workplace

beforeEach(() => {
  place = new Workplace()
})

afterEach(() => {
  expect(secretFiles()).toEqual([])
  place[Symbol.dispose]()
})

/** Folders of sessions below the runtime folder. */
function secretFiles(): string[] {
  const all = readdirSync(place.path, { recursive: true }).map(String)
  return all.filter((name) => name.startsWith('runtime/') && name.includes('/s-'))
}

const settings = `
users: [{ name: admin, token: a-token-for-tests-0123456789 }]
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections:
  - name: reports
    agent: local
    command: [bash, -s, --]
    env: { GREETING: hello }
    files: { CONFIG: ./app.conf }
    secrets: { 'envvar:TOKEN': c2VjcmV0 }
`

describe('exec --local', () => {
  test('runs the words as a command, and exits with its code', async () => {
    const line =
      "echo 'echo out; echo err >&2; echo $A; exit 4' | runbook-agent exec --local mine -e A=b -- bash -s"
    expect(await shell(place, line)).toEqual({ code: 4, stdout: 'out\nb\n', stderr: 'err\n' })
  })

  test('gives it nothing of this environment but what an agent would', async () => {
    const { stdout } = await shell(place, "runbook-agent exec --local mine -i '' -- env", { MINE: 'x' })
    const names = stdout.split('\n').map((line) => line.split('=')[0])
    expect(names).not.toContain('MINE')
    expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'HOOP_CONNECTION_NAME', 'HOOP_SESSION_ID']))
  })

  test("takes command, variables, files and secrets from a gateway's settings, and removes the files", async () => {
    place.write('gateway.yaml', settings)
    place.write('app.conf', 'from a file\n')
    place.write('script.sh', 'echo "$GREETING $TOKEN $1"; cat "$CONFIG"; echo "$CONFIG" >&2')
    const line = 'runbook-agent exec --local reports --config gateway.yaml -f script.sh -- argument'
    const { code, stdout, stderr } = await shell(place, line)
    expect([code, stdout]).toEqual([0, 'hello secret argument\nfrom a file\n'])
    expect(stderr).toContain(place.at('runtime'))
  })

  test('knows no other connection, and says which one may be meant', async () => {
    place.write('gateway.yaml', settings)
    place.write('app.conf', '')
    const { code, stderr } = await shell(
      place,
      "runbook-agent exec --local report --config gateway.yaml -i ''",
    )
    expect([code, stderr]).toEqual([
      64,
      'runbook-agent: gateway.yaml has no connection report: did you mean reports?\n',
    ])
    place.write('broken.yaml', 'users: 3')
    expect((await shell(place, "runbook-agent exec --local reports --config broken.yaml -i ''")).code).toBe(
      78,
    )
    expect((await shell(place, "runbook-agent exec --local reports -i ''")).code).toBe(64)
    expect((await shell(place, "runbook-agent exec reports --config gateway.yaml -i ''")).code).toBe(64)
  })

  test('says why there is no ordinary end', async () => {
    const ends = {
      'runbook-agent exec --local x -i "" -- nowhere': [
        127,
        'exec: "nowhere": executable file not found in $PATH\n',
      ],
      "runbook-agent exec --local x -i 'kill -9 $$' -- bash": [137, 'killed by signal 9 (SIGKILL)\n'],
      'runbook-agent exec --local x -i "sleep 1000 & exit 3" -- bash': [3, ''],
      'runbook-agent exec --local x -i "" -- echo \'$NOWHERE\'': [
        254,
        'could not find environment variable for commands [$NOWHERE]\n',
      ],
    }
    for (const [line, [code, stderr]] of Object.entries(ends)) {
      expect(await shell(place, line), line).toMatchObject({
        code,
        stderr: expect.stringContaining(String(stderr)) as string,
      })
    }
  })

  test('leaves no process behind, also none that has left its session', async () => {
    const script = 'setsid sleep 1000 & echo $!; sleep 1000 & echo $!'
    const { code, stdout } = await shell(place, `runbook-agent exec --local x -i '${script}' -- bash`)
    expect(code).toBe(0)
    expect(stdout.trim().split('\n').map(Number).filter(isAlive)).toEqual([])
  })

  test('Ctrl-C ends the command by the ladder, shows its last words, and exits with 130', async () => {
    const script = 'trap "echo cleaned; exit 9" TERM; echo $$; while :; do sleep 0.1; done'
    await using running = new Shell(
      place,
      `trap : INT; runbook-agent exec --local x -i '${script}' -- bash; echo code $?`,
    )
    await waitFor(() => /^\d+\n/.test(running.stdout))
    const pid = Number.parseInt(running.stdout, 10)
    running.signal('SIGINT')
    const { stdout } = await running.ended()
    expect(stdout).toBe(`${pid}\ncleaned\ncode 130\n`)
    expect(isAlive(pid)).toBe(false)
  })

  test('Ctrl-C ends it too while nobody reads its output', async () => {
    const line =
      "trap : INT; mkfifo full; sleep 100 < full & runbook-agent exec --local x -i 'echo $$ >&2; yes' -- bash > full; echo code $?; kill %1"
    await using running = new Shell(place, line)
    await waitFor(() => /^\d+\n/.test(running.stderr))
    const pid = Number.parseInt(running.stderr, 10)
    running.signal('SIGINT')
    expect((await running.ended()).stdout).toContain('code 130')
    expect(isAlive(pid)).toBe(false)
  })

  test('what one leaves that was killed is ended and removed by the next one', async () => {
    place.write('gateway.yaml', settings)
    place.write('app.conf', '')
    const script = 'echo $$; sleep 1000; :'
    await using killed = new Shell(
      place,
      `runbook-agent exec --local reports --config gateway.yaml -i '${script}'`,
    )
    await waitFor(() => /^\d+\n/.test(killed.stdout))
    const pid = Number.parseInt(killed.stdout, 10)
    killed.signal('SIGKILL')
    await waitFor(() => secretFiles().length > 0 && isAlive(pid))
    expect((await shell(place, "runbook-agent exec --local x -i '' -- true")).code).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })

  test('a reader that leaves ends it without a word', async () => {
    const line = "runbook-agent exec --local x -i '' -- yes | head -2; echo ${PIPESTATUS[0]}"
    expect(await shell(place, line)).toEqual({ code: 0, stdout: 'y\ny\n141\n', stderr: '' })
  })

  test('output that cannot be written is not a success', async () => {
    const line = "runbook-agent exec --local x -i '' -- yes > /dev/full"
    expect(await shell(place, line)).toMatchObject({
      code: 74,
      stderr: 'runbook-agent: cannot write the output: ENOSPC\n',
    })
  })
})
