import { status } from '@grpc/grpc-js'
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { own } from '../../support/owned.ts'
import type { ScriptedFrames } from '../../support/scripted/scripted-frames.ts'
import { ServedClient, type Way } from '../../support/sites/served-client.ts'
import { shell, Shell } from '../../support/terminals/shell.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// The built program against a gateway that does what a test says.

let place: Workplace
let gateway: ServedClient

const WAYS: readonly Way[] = ['gRPC', 'frames']

async function start(way: Way): Promise<void> {
  place = own(new Workplace())
  gateway = own(await ServedClient.start(way))
}

const run = (line: string, env: Record<string, string> = {}) => shell(place, line, { ...gateway.env, ...env })

/** Answers a script with an end, and remembers it. */
function answer(exitCode: number, message = ''): void {
  gateway.onPacket = ({ type, payload }) => {
    if (type !== 'AgentExecWriteStdin') return
    gateway.stdout(`got ${payload.toString()}`)
    gateway.close(exitCode, message)
  }
}

describe.each(WAYS)('exec over %s', (way) => {
  beforeEach(() => start(way))

  test('keeps stdout and stderr apart, byte for byte, and exits with the code', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    gateway.onPacket = () => {
      gateway.stdout(every)
      gateway.stderr('to stderr\n')
      gateway.close(3)
    }
    const { code, stderr } = await run("runbook-agent exec bash -i '' > out")
    expect([code, stderr]).toEqual([3, 'to stderr\n'])
    const { stdout } = await run('od -An -v -tu1 out | tr -s " \\n" "  "')
    expect(stdout.trim()).toBe([...every].join(' '))
  })

  test('takes the script from --input, a file, a FIFO or standard input', async () => {
    answer(0)
    place.write('script.sh', 'from a file')
    const lines = {
      "runbook-agent exec bash -i 'from a flag'": 'from a flag',
      "runbook-agent exec bash -i '' < script.sh": '',
      'runbook-agent exec bash -f script.sh': 'from a file',
      'runbook-agent exec bash -f <(echo from a fifo)': 'from a fifo\n',
      'echo from a pipe | runbook-agent exec bash': 'from a pipe\n',
      'echo from a pipe | runbook-agent exec bash -f -': 'from a pipe\n',
      'runbook-agent exec bash < script.sh': 'from a file',
    }
    for (const [line, script] of Object.entries(lines)) {
      expect(await run(line), line).toMatchObject({ code: 0, stdout: `got ${script}`, stderr: '' })
    }
  })

  test('refuses words before --, which were meant as a script', async () => {
    for (const line of [
      "exec bash 'echo hi'",
      "exec bash 'echo hi' -- x",
      "run bash x.sh 'echo hi' -p a=b",
    ]) {
      const { code, stdout, stderr } = await run(`runbook-agent ${line}`)
      expect([code, stdout]).toEqual([64, ''])
      expect(stderr).toMatch(
        /^runbook-agent: unexpected argument: echo hi\. Put arguments of the connection's command after --/,
      )
    }
    expect(gateway.gateway.metadata).toEqual([])
  })

  test('refuses arguments that are not UTF-8, which would be changed, and shows none of them', async () => {
    for (const line of [
      "exec bash -i $'echo caf\\xe9'",
      "exec bash -i '' -e A=$'caf\\xe9'",
      "exec bash -i '' -- $'caf\\xe9'",
      "run bash x.sh -p a=$'caf\\xe9'",
      "exec --local bash -i '' -- cat $'caf\\xe9'",
    ]) {
      const { code, stdout, stderr } = await run(`runbook-agent ${line}`)
      expect([code, stdout], line).toEqual([64, ''])
      expect(stderr).toMatch(/^runbook-agent: an argument is not UTF-8[^\n]*\n$/)
      expect(stderr).not.toContain('caf')
    }
    expect(gateway.gateway.metadata).toEqual([])
  })

  test('sends a replacement character that somebody has typed', async () => {
    answer(0)
    expect(await run("runbook-agent exec bash -i 'caf\ufffd'")).toMatchObject({
      code: 0,
      stdout: 'got caf\ufffd',
    })
  })

  test('refuses a script that is too long, or cannot be read', async () => {
    const long = 'head -c 17000000 /dev/zero'
    for (const line of [`${long} | runbook-agent exec bash`, `runbook-agent exec bash -f <(${long})`]) {
      const { code, stderr } = await run(line)
      expect(code).toBe(64)
      expect(stderr).toMatch(/^runbook-agent: \S+: the script is longer than 16 MiB/)
    }
    expect(await run('runbook-agent exec bash -f nowhere')).toMatchObject({
      code: 64,
      stderr: 'runbook-agent: the script nowhere does not exist\n',
    })
    expect((await run('runbook-agent exec bash -f x -i y')).code).toBe(64)
    expect(gateway.gateway.metadata).toEqual([])
  })

  test('shows why an execution ended on a line of its own, harmless for a terminal', async () => {
    answer(9, '\nkilled by \x1b[2J\u009bsignal 9\nsecond line')
    expect(await run("runbook-agent exec bash -i ''")).toMatchObject({
      code: 9,
      stderr: 'killed by \\x1b[2J\\x9bsignal 9\nsecond line\n',
    })
    gateway.onPacket = () => {
      gateway.stderr('unfinished')
      gateway.close(1, 'why')
    }
    expect((await run("runbook-agent exec bash -i ''")).stderr).toBe('unfinished\nwhy\n')
  })

  test('says for programs how it ended, as the last line of stderr', async () => {
    answer(3, 'why')
    const { code, stderr } = await run("runbook-agent exec --json bash -i ''")
    expect(code).toBe(3)
    expect(JSON.parse(stderr)).toEqual({
      event: 'ended',
      session_id: 'c0ffee00-0000-4000-8000-000000000001',
      outcome: 'exited',
      exit_code: 3,
      message: 'why',
      truncated_bytes: 0,
    })
  })

  test('a code that does not fit into eight bits is not a success', async () => {
    answer(256)
    expect((await run("runbook-agent exec bash -i ''")).code).toBe(254)
  })

  test('waits for an approval, and says where it is given', async () => {
    gateway.onOpen = () => {
      gateway.send('ClientSessionOpenWaitingApproval', 'https://gateway/sessions/1\x1b[2J')
      gateway.onOpen = () => gateway.open()
    }
    answer(0)
    await using waiting = new Shell(place, "runbook-agent exec bash -i ''", gateway.env)
    await waiting.says('stderr', 'waiting for approval: https://gateway/sessions/1\\x1b[2J\n')
    gateway.send('ClientSessionOpenApproveOK', '')
    expect((await waiting.ended()).code).toBe(0)
  })

  test('a reader that leaves ends the session without a word', async () => {
    const lines = Buffer.from('y\n'.repeat(32 * 1024))
    let cancelled = false
    gateway.onPacket = () => {
      const { stream } = gateway.gateway
      stream?.on('cancelled', () => (cancelled = true))
      const more = () => {
        if (!cancelled) gateway.stdout(lines)
        if (!cancelled) setImmediate(more)
      }
      more()
    }
    const { code, stdout, stderr } = await run(
      "runbook-agent exec bash -i '' | head -2; echo ${PIPESTATUS[0]}",
    )
    expect([code, stdout, stderr]).toEqual([0, 'y\ny\n141\n', ''])
    await waitFor(() => cancelled)
  })

  test('what cannot be written is not a success', async () => {
    answer(0)
    expect(await run("runbook-agent exec bash -i '' > /dev/full")).toMatchObject({
      code: 74,
      stderr: 'runbook-agent: cannot write the output: ENOSPC\n',
    })
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} ends the session, says so and exits with ${code}`, async () => {
      let cancelled = false
      gateway.onPacket = () => {
        gateway.gateway.stream?.on('cancelled', () => (cancelled = true))
        gateway.stdout('running\n')
      }
      await using running = new Shell(
        place,
        "trap : INT TERM HUP; runbook-agent exec bash -i ''; echo code $?",
        gateway.env,
      )
      await running.says('stdout', 'running')
      running.signal(signal)
      expect(await running.ended()).toMatchObject({
        stdout: `running\ncode ${code}\n`,
        stderr: 'runbook-agent: left bash; the session ends\n',
      })
      await waitFor(() => cancelled)
    })
  }

  test('says that it was left in JSON for programs, and not at all with --quiet', async () => {
    gateway.onPacket = () => gateway.stdout('running\n')
    const left = { event: 'left', session_id: 'c0ffee00-0000-4000-8000-000000000001' }
    for (const [flag, said] of [
      ['--quiet', ''],
      ['--json', `${JSON.stringify(left)}\n`],
    ] as const) {
      const line = `trap : INT; runbook-agent exec ${flag} bash -i ''`
      await using running = new Shell(place, line, gateway.env)
      await running.says('stdout', 'running')
      running.signal('SIGINT')
      expect(await running.ended()).toMatchObject({ code: 130, stderr: said })
    }
  })

  test('Ctrl-C works while a reader is so slow that nothing can be written', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    gateway.onPacket = () => {
      for (let pieces = 0; pieces < 8; pieces++) gateway.stdout(piece)
      gateway.stderr('begun\n')
    }
    await using running = new Shell(
      place,
      "trap : INT; mkfifo full; sleep 100 < full & runbook-agent exec bash -i '' > full; echo code $?; kill %1",
      gateway.env,
    )
    await waitFor(() => gateway.sent('AgentExecWriteStdin').length > 0)
    running.signal('SIGINT')
    expect((await running.ended()).stdout).toContain('code 130')
  })
})

describe('exec that gets no exit code, over gRPC', () => {
  beforeEach(() => start('gRPC'))

  const refusals = [
    [
      status.UNAUTHENTICATED,
      'invalid authentication',
      77,
      /does not accept the token: invalid authentication\n.*HOOP_TOKEN/,
    ],
    [status.NOT_FOUND, 'connection not found', 64, /has no connection bash, or you have no access to it\n$/],
    [status.FAILED_PRECONDITION, 'agent is offline', 254, /the agent of bash is offline: nothing has run\n/],
    [
      status.FAILED_PRECONDITION,
      'exec is disabled for this connection',
      77,
      /does not permit exec bash: exec is disabled/,
    ],
    [
      status.INVALID_ARGUMENT,
      'exec is not allowed for tcp type connections',
      64,
      /refuses this exec bash: exec is not/,
    ],
  ] as const
  for (const [grpc, details, code, text] of refusals) {
    test(`exits with ${code} when the gateway says: ${details}`, async () => {
      gateway.onOpen = () => gateway.fail(grpc, details)
      const ended = await run("runbook-agent exec bash -i ''")
      expect(ended.code).toBe(code)
      expect(ended.stderr).toMatch(text)
      const quiet = await run("runbook-agent exec --quiet bash -i ''")
      expect(quiet.stderr.split('\n')).toHaveLength(2)
    })
  }

  const losses = [
    [status.UNKNOWN, 'session killed by the user', /ended at the gateway: session killed by the user\n$/],
    [
      status.UNKNOWN,
      'agent has disconnected',
      /lost the agent of bash: agent has disconnected\n.*sessions show c0ffee/,
    ],
  ] as const
  for (const [grpc, details, text] of losses) {
    test(`exits with 254 when the gateway says in the middle: ${details}`, async () => {
      gateway.onPacket = () => gateway.fail(grpc, details)
      const ended = await run("runbook-agent exec bash -i ''")
      expect(ended.code).toBe(254)
      expect(ended.stderr).toMatch(text)
    })
  }
})

describe.each(WAYS)('exec that gets no exit code, over %s', (way) => {
  beforeEach(() => start(way))

  const coded = [
    ['unauthenticated', 77, /does not accept the token/],
    ['not-permitted', 77, /does not permit exec bash/],
    ['connection-not-found', 64, /has no connection bash, or you have no access to it/],
    ['too-many-clients', 69, /is at a limit, nothing has run/],
    ['agent-offline', 254, /the agent of bash is offline: nothing has run/],
  ] as const
  for (const [ownCode, code, text] of coded) {
    test(`exits with ${code} for the code ${ownCode} of our own gateway, whatever its status and words are`, async () => {
      gateway.onOpen = () => gateway.fail(status.UNKNOWN, 'in other words', ownCode)
      const ended = await run("runbook-agent exec bash -i ''")
      expect(ended.code).toBe(code)
      expect(ended.stderr).toMatch(text)
    })
  }

  for (const code of ['budget-spent', 'too-many-failed-sign-ins'] as const)
    test(`says when to try again, once: the text of ${code} says it itself`, async () => {
      gateway.onOpen = () => gateway.fail(status.RESOURCE_EXHAUSTED, 'at noon', code)
      const ended = await run("runbook-agent exec bash -i ''")
      expect(ended.code).toBe(69)
      expect(ended.stderr).toMatch(/nothing has run: at noon\n$/)
      gateway.onOpen = () =>
        gateway.fail(status.RESOURCE_EXHAUSTED, 'try again after noon', 'too-many-clients')
      const busy = await run("runbook-agent exec bash -i ''")
      expect(busy.stderr).toContain('Try again when other sessions')
    })
})

describe('exec in frames', () => {
  let frames: ScriptedFrames

  beforeEach(async () => {
    await start('frames')
    frames = gateway.gateway as ScriptedFrames
  })

  test('sends the token and the metadata as headers', async () => {
    answer(0)
    const variables = "-e A=b -- 'an argument'"
    expect((await run(`runbook-agent exec bash --when-approved -i 'x' ${variables}`)).code).toBe(0)
    expect(frames.metadata).toMatchObject([
      {
        authorization: 'Bearer a.user.token',
        origin: 'client',
        verb: 'exec',
        'connection-name': 'bash',
        'when-approved': 'true',
      },
    ])
    const [opening] = frames.received.filter(({ type }) => type === 'AgentSessionOpen')
    expect(Object.keys(opening?.spec ?? {})).toEqual(['terminal.args', 'terminal.envvars'])
  })

  test('sends the largest script whole', async () => {
    frames.onPacket = ({ type, payload }) => {
      if (type === 'AgentSessionOpen') gateway.open()
      if (type !== 'AgentExecWriteStdin') return
      gateway.stdout(createHash('sha256').update(payload).digest('hex'))
      gateway.close(0)
    }
    place.write('long.sh', '0123456789abcde\n'.repeat(1024 * 1024))
    const { code, stdout } = await run('runbook-agent exec bash -f long.sh; sha256sum < long.sh')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^([0-9a-f]{64})\1 {2}-\n$/)
  })

  const breaks = [
    ['the connection breaks', () => frames.breakOff()],
    ['the gateway sends bytes that are no packets', () => frames.sendRaw(Buffer.alloc(64, 255))],
  ] as const
  for (const [what, happens] of breaks) {
    test(`exits with 254 and names the session when ${what} in the middle`, async () => {
      gateway.onPacket = happens
      const ended = await run("runbook-agent exec bash -i ''")
      expect(ended.code).toBe(254)
      expect(ended.stderr).toMatch(/^runbook-agent: the connection to the gateway \S+ was lost: .+\n.*c0ffee/)
    })
  }
})

describe('exec without a gateway', () => {
  beforeEach(() => start('gRPC'))

  test('exits with 69 when nobody listens, with one line', async () => {
    const { code, stderr } = await run("runbook-agent exec --quiet bash -i ''", {
      HOOP_GRPCURL: 'grpc://127.0.0.1:1',
    })
    expect(code).toBe(69)
    expect(stderr).toMatch(
      /^runbook-agent: the gateway 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*\n$/,
    )
  })

  test('exits with 78 when nobody is signed in', async () => {
    const { code, stderr } = await run('unset HOOP_TOKEN HOOP_APIURL; runbook-agent exec bash -i x')
    expect(code).toBe(78)
    expect(stderr).toContain('not signed in')
  })

  test('does not send the token to another machine in the clear', async () => {
    const { code, stderr } = await run('runbook-agent exec bash -i x', {
      HOOP_GRPCURL: 'grpc://192.0.2.1:8010',
    })
    expect(code).toBe(78)
    expect(stderr).toContain('allow-plaintext')
  })

  test('exits with 64 for a name that is none, and for variables without one or with one twice', async () => {
    expect((await run("runbook-agent exec 'a b' -i x")).code).toBe(64)
    for (const [variables, text] of [
      ['-e secret', 'the value of -e has the form name=value'],
      ['-e =secret', 'the value of -e has the form name=value'],
      ["-e $'a\\nb=secret'", 'the value of -e has the form name=value'],
      ['-e A=secret -e A=other', '-e A is given twice: omit one of the two'],
    ] as const) {
      const { code, stderr } = await run(`runbook-agent exec bash -i x ${variables}`)
      expect([code, stderr]).toEqual([64, `runbook-agent: ${text}\n`])
    }
  })
})
