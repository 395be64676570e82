import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Program, runProgram } from '../../support/sites/program.ts'
import {
  answer,
  done,
  rpcError,
  RunbookGateway,
  RUNNING,
  SESSION,
} from '../../support/sites/runbook-gateway.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { found } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const FILE = 'ops/report.runbook.sql'
const plain = { name: FILE }
const declared = {
  name: FILE,
  metadata: {
    state: {
      type: 'text',
      required: true,
      description: 'which\u001b[31m state',
      options: ['active', 'idle'],
      order: 1,
    },
    password: { type: 'password', required: true, description: 'of the report', order: 2 },
    note: { type: 'text', required: false, description: '' },
    limit: { type: 'number', required: false, default: '10', pattern: '^[0-9]+$' },
  },
}
/** Not UTF-8, and no line at its end. */
const BYTES = Buffer.from([0x61, 0xff, 0x00, 0x0a, 0x62])

describe('run', () => {
  it('prints the output and exits with the code', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ output: 'one\ntwo\u001b[1m', exit_code: 3, output_status: 'failed' })))
    expect(await run(gateway, 'pg', FILE)).toMatchObject({ code: 3, stdout: 'one\ntwo\u001b[1m', stderr: '' })
    const [request] = gateway.requests
    expect(request).toEqual({
      ...{ connection_name: 'pg', repository: 'git.test/books', file_name: FILE, parameters: {} },
      ...{ env_vars: {}, client_args: [], metadata: {} },
      correlation_id: expect.stringMatching(/^runbook-agent-[\da-f-]{36}$/) as string,
    })
  })

  it('says in an error what a gateway calls its things, and lets none of it command the terminal', async () => {
    await using gateway = await RunbookGateway.start({ name: FILE, metadata: { 'a\u001b[2J': {} } })
    const ended = await run(gateway, 'pg', FILE, '-p', 'somethingelse=1')
    expect(ended.code).toBe(64)
    expect(ended.stderr).toContain('a\\x1b[2J  (may be empty)')
  })

  it('sends parameters, variables, files, arguments and metadata', async () => {
    await using gateway = await RunbookGateway.start(declared)
    using place = new Workplace()
    gateway.answers(json(200, answer()))
    place.write('secret.bin', 'in a file')
    place.write('parameters.yaml', 'password: 0x10\nnote: from the file\n')
    const flags = [
      '-p',
      'state=idle',
      '-p',
      'note=a=b',
      '--param-file',
      'parameters.yaml',
      '--ref',
      'abcdef1',
    ]
    const more = [
      '-e',
      'A=1=2',
      '-f',
      'SECRET=secret.bin',
      '--metadata',
      'ticket=7',
      '--jira',
      'summary=a=b',
      '--',
      '-c',
      '--x',
    ]
    const ended = await runProgram(place, ['run', 'pg', FILE, ...flags, ...more], gateway.env)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(gateway.requests[0]).toMatchObject({
      ref_hash: 'abcdef1',
      parameters: { state: 'idle', note: 'a=b', password: '0x10' },
      env_vars: { 'envvar:A': base64('1=2'), 'filesystem:SECRET': base64('in a file') },
      client_args: ['-c', '--x'],
      metadata: { ticket: '7' },
      jira_fields: { summary: 'a=b' },
    })
  })

  it('runs by the first version of the interface where a gateway has only that', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.rest.on('GET /api/runbooks', json(404, { message: 'runbook configuration not found' }))
    gateway.rest.on(
      'GET /api/plugins/runbooks/connections/pg/templates',
      json(200, { items: [declared], commit: 'c' }),
    )
    gateway.rest.on('POST /api/plugins/runbooks/connections/pg/exec', json(200, answer({ output: 'v1' })))
    expect(
      await run(gateway, 'pg', FILE, '-p', 'state=idle', '-p', 'password=p', '-p', 'note='),
    ).toMatchObject({
      ...{ code: 0, stdout: 'v1', stderr: '' },
    })
    expect((await run(gateway, 'pg', FILE)).stderr).toContain(`missing parameters of ${FILE}:`)
  })

  it.each([
    [0, 0],
    [255, 255],
    [256, 254],
    [300, 254],
    [-1, 254],
    [254, 254],
  ])('exits for code %d with %d: a failure never becomes a success', async (exitCode, code) => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ exit_code: exitCode })))
    expect((await run(gateway, 'pg', FILE)).code).toBe(code)
  })

  it('exits with 254 when the gateway says failed or blocked beside code 0', async () => {
    await using gateway = await RunbookGateway.start(plain)
    for (const status of ['failed', 'blocked']) {
      gateway.answers(json(200, answer({ output_status: status, output: 'no' })))
      expect(await run(gateway, 'pg', FILE)).toMatchObject({ code: 254, stdout: 'no' })
    }
  })

  it('reads from the record what an answer of JSON cannot say', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway
      .answers(json(200, answer({ output: 'a\ufffd\u0000\nb' })))
      .records(done(0))
      .wrote(BYTES)
    const { stdout } = await runBytes(gateway)
    expect(stdout).toEqual(BYTES)
  })

  it('says when output is missing', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ truncated: true }))).wrote(Buffer.from('the end'))
    const ended = await run(gateway, 'pg', FILE)
    expect(ended).toMatchObject({ code: 0, stdout: 'the end' })
    expect(ended.stderr).toMatch(/^runbook-agent: the output is incomplete: [^\n]*\n$/)
  })

  it('says when secrets were replaced, and how many bytes', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ output: 'a [REDACTED]\n', redacted_bytes: 15 })))
    const ended = await run(gateway, 'pg', FILE)
    expect(ended).toMatchObject({ code: 0, stdout: 'a [REDACTED]\n' })
    expect(ended.stderr).toBe('runbook-agent: secrets in the output were replaced (15 bytes)\n')
  })

  it('prints one answer of JSON when a program asks for it', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ output: 'x\n', exit_code: 4, output_status: 'failed' })))
    const ended = await run(gateway, 'pg', FILE, '--json')
    expect([ended.code, JSON.parse(ended.stdout)]).toEqual([
      4,
      {
        ...{ session_id: SESSION, output: 'x\n', output_status: 'failed', exit_code: 4, reason: null },
        ...{ truncated: false, redacted_bytes: 0, execution_time: 12 },
      },
    ])
  })
})

describe('run follows what goes on', () => {
  it('to its end, and prints its bytes', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(RUNNING).records({}, { event_size: 2 }, done(7)).wrote(BYTES)
    const { stdout, code } = await runBytes(gateway)
    expect([stdout, code]).toEqual([BYTES, 7])
  })

  it.each([
    ['that was followed', RUNNING],
    ['whose answer was not exact', json(200, answer({ output: '\ufffd' }))],
    ['whose close was lost', rpcError('Canceled', 'context canceled')],
  ])('and prints all of a large output of an execution %s', async (_, script) => {
    await using gateway = await RunbookGateway.start(plain)
    const output = Buffer.alloc(8 * 1024 * 1024, BYTES)
    gateway.answers(script).records({}, done(0)).wrote(output)
    const { stdout, code, stderr } = await runBytes(gateway)
    expect([stdout.equals(output), code, stderr]).toEqual([true, 0, ''])
  })

  it('while the gateway is away for a moment', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(RUNNING).records({}, undefined, undefined, done(0)).wrote(BYTES)
    expect((await runBytes(gateway)).code).toBe(0)
  })

  it('when the answer itself is lost, by the id that it sent along', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway
      .answers((_, response) => response.destroy())
      .records(done(5))
      .wrote(BYTES)
    gateway.rest.on('GET /api/sessions', (received, response) => {
      const id = new URL(received.url, 'http://x').searchParams.get('correlation_id')
      const others = [{ id: 'other', status: 'open', correlation_id: 'other' }]
      json(200, { data: [...others, { id: SESSION, status: 'open', correlation_id: id }] })(
        received,
        response,
      )
    })
    expect(await runBytes(gateway)).toMatchObject({ code: 5, stdout: BYTES })
    expect(gateway.requests).toHaveLength(1)
  })

  it('when a proxy before the gateway gave up', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway
      .answers((_, response) => response.writeHead(504).end('<html>'))
      .records(done(0))
      .wrote(BYTES)
    gateway.rest.on('GET /api/sessions', (received, response) => {
      const correlation_id = gateway.requests[0]?.['correlation_id']
      json(200, { data: [{ id: SESSION, status: 'open', correlation_id }] })(received, response)
    })
    expect((await runBytes(gateway)).code).toBe(0)
  })

  it("by the record, when the agent's close was lost on the way to the answer", async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(rpcError('Canceled', 'context canceled')).records({}, done(0)).wrote(BYTES)
    const { stdout, code, stderr } = await runBytes(gateway)
    expect([stdout, code, stderr]).toEqual([BYTES, 0, ''])
  })

  it('of a gateway that has no stream of results', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(RUNNING)
    gateway.rest.on(`GET /api/sessions/${SESSION}`, (received, response) => {
      const asked = received.url.includes('event_stream=base64')
      const record = { id: SESSION, ...done(0), ...(asked && { event_stream: [BYTES.toString('base64')] }) }
      json(200, record)(received, response)
    })
    expect((await runBytes(gateway)).stdout).toEqual(BYTES)
  })

  it('through a review, and runs it when it is approved', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const url = 'https://gateway.test/sessions/1'
    gateway.answers(json(200, answer({ has_review: true, output: url })))
    gateway.rest.on(`GET /api/reviews/${SESSION}`, json(404, { message: 'not found' }))
    gateway.records({ review: { status: 'PENDING' } }, { status: 'ready', review: { status: 'APPROVED' } })
    gateway.rest.on(
      `POST /api/sessions/${SESSION}/exec`,
      json(200, answer({ output: 'approved', exit_code: 2 })),
    )
    expect(await run(gateway, 'pg', FILE)).toMatchObject({
      ...{
        code: 2,
        stdout: 'approved',
        stderr: `runbook-agent: session ${SESSION} is waiting for approval: ${url}\n`,
      },
    })
  })

  it('through a review whose time has not come: it is said how to run it later', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ has_review: true, output: 'url', warning: 'an old copy' })))
    gateway.records({ status: 'ready', review: { status: 'APPROVED' } })
    const message = 'outside of 01:00-05:00'
    gateway.rest.on(`POST /api/sessions/${SESSION}/exec`, json(403, { message }))
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([77, ''])
    expect(ended.stderr).toMatch(/^runbook-agent: an old copy\n/)
    expect(ended.stderr).toContain(`${message}. Try later: runbook-agent sessions exec ${SESSION}\n`)
  })

  it('through a review that is rejected', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(200, answer({ has_review: true, output: 'url' })))
    gateway.records({ review: { status: 'REJECTED' } })
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([77, ''])
    expect(ended.stderr).toContain(`the review of session ${SESSION} was rejected`)
  })
})

describe('run sends', () => {
  const declared = {
    name: FILE,
    metadata: {
      key: { type: 'file' },
      note: {},
      late: { required: true, default: 'l' },
      free: { default: 'f' },
    },
  }

  it('a name that only a block may use, the text of a file, and a default that may be checked before', async () => {
    await using gateway = await RunbookGateway.start(declared)
    gateway.answers(json(200, answer()))
    const given = ['-p', 'wholly=other', '-p', `key=@${import.meta.filename}`, '-p', 'note=@note']
    const ended = await run(gateway, 'pg', FILE, ...given)
    expect(ended).toMatchObject({
      code: 0,
      stderr: `runbook-agent: ${FILE} declares no parameter wholly: the value is sent, but may have no effect\n`,
    })
    expect(gateway.requests[0]?.['parameters']).toEqual({
      ...{ wholly: 'other', note: '@note', late: 'l' },
      key: readFileSync(import.meta.filename, 'utf8'),
    })
    await run(gateway, 'pg', FILE, '-p', 'key=@@a', '-p', 'note=')
    expect(gateway.requests[1]?.['parameters']).toMatchObject({ key: '@a' })
  })

  it('without a word what a gateway lists as used in a block, and refuses what it does not list', async () => {
    await using gateway = await RunbookGateway.start({ name: FILE, block_metadata: { wholly: {} } })
    gateway.answers(json(200, answer()))
    expect(await run(gateway, 'pg', FILE, '-p', 'wholly=other')).toMatchObject({ code: 0, stderr: '' })
    const ended = await run(gateway, 'pg', FILE, '-p', 'half=other')
    expect([ended.code, ended.stderr]).toEqual([64, expect.stringContaining('has no parameter half')])
    expect(gateway.requests).toHaveLength(1)
  })

  it.each([
    ['@/no/such/file', 'the file /no/such/file does not exist'],
    [`@${process.execPath}`, 'is longer than 16777216 bytes'],
    ['@/dev/null', 'the file /dev/null is not a regular file'],
  ])('nothing when the file of a parameter cannot be: %s', async (value, reason) => {
    await using gateway = await RunbookGateway.start(declared)
    const ended = await run(gateway, 'pg', FILE, '-p', `key=${value}`, '-p', 'note=')
    expect([ended.code, ended.stderr]).toEqual([64, expect.stringContaining(reason)])
    expect(gateway.requests).toEqual([])
  })
})

describe('run says in one line why there is no exit code:', () => {
  it.each([
    [
      'the agent is offline',
      'FailedPrecondition',
      'agent is offline',
      254,
      'the agent of pg is offline: nothing has run',
    ],
    [
      'runbooks are disabled',
      'FailedPrecondition',
      'runbooks is disabled for this connection',
      77,
      'the gateway does not permit run pg: runbooks is disabled for this connection',
    ],
    ['it was killed', 'Unknown', 'session killed by the user', 254, 'the session was ended at the gateway'],
    ['the gateway is stopped', 'Unknown', 'gateway shutdown', 254, 'was stopped, and has ended the session'],
    ['the agent is lost', 'Unknown', 'agent has disconnected', 254, 'the gateway lost the agent of pg'],
    [
      'anything else',
      'Internal',
      'no\u001b[2Jidea',
      254,
      `the gateway ended run pg: no\\x1b[2Jidea. See how it ended: runbook-agent sessions show ${SESSION}`,
    ],
  ])('%s', async (_, rpc, text, code, message) => {
    await using gateway = await RunbookGateway.start(plain)
    gateway
      .answers(rpcError(rpc, text))
      .records(done(254))
      .wrote(Buffer.from(`before\n${text}`))
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([code, 'before\n'])
    expect(ended.stderr).toMatch(/^runbook-agent: [^\n]*\n$/)
    expect(ended.stderr).toContain(message)
  })

  it.each([
    ['not-permitted', 77, 'the gateway does not permit run pg: in other words'],
    ['agent-offline', 254, 'the agent of pg is offline: nothing has run'],
    ['agent-lost', 254, 'the gateway lost the agent of pg: in other words'],
  ])('by the code %s of our own gateway, whatever it says beside it', async (code, exitCode, message) => {
    await using gateway = await RunbookGateway.start(plain)
    const output = 'rpc error: code = Unknown desc = in other words'
    gateway
      .answers(json(200, answer({ output_status: 'failed', exit_code: -2, output, code })))
      .records(done(254))
      .wrote(Buffer.from(output))
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([exitCode, ''])
    expect(ended.stderr).toContain(message)
  })

  it('also when it was followed, and only the end of its record says it', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const reason = 'rpc error: code = Unknown desc = session killed by the user'
    gateway
      .answers(json(202, answer({ output_status: 'running', exit_code: -2 })))
      .records(done(254))
      .wrote(Buffer.from(`${'é'.repeat(5000)}\n${reason}`))
    const ended = await run(gateway, 'pg', FILE)
    expect(ended).toMatchObject({
      ...{ code: 254, stdout: `${'é'.repeat(5000)}\n` },
      stderr: 'runbook-agent: the session was ended at the gateway: session killed by the user\n',
    })
    const { stdout } = await run(gateway, 'pg', FILE, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: null, reason: 'session killed by the user' })
  })

  it('with --no-wait says of one that waits for a lock that it does not run yet', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const waits = {
      lock: 'deploy',
      session_id: 'other',
      user: 'bea',
      since: '2026-01-31T12:00:00Z',
      ahead: 0,
    }
    gateway.answers(json(202, answer({ output_status: 'running', exit_code: -2, waits_for: waits })))
    const { code, stderr } = await run(gateway, 'pg', FILE, '--no-wait')
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('runs as soon as its lock is free. To see the output'),
    ])
  })

  it('without the words of gRPC that the embedded gateway puts before the reason', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway
      .answers(rpcError('Unknown', 'agent has disconnected'))
      .records(done(254))
      .wrote(Buffer.from('before\nrpc error: code = Unknown desc = agent has disconnected'))
    expect(await run(gateway, 'pg', FILE)).toMatchObject({ code: 254, stdout: 'before\n' })
  })

  it('also where the session has no record', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(rpcError('FailedPrecondition', 'agent is offline'))
    expect(await run(gateway, 'pg', FILE)).toMatchObject({ code: 254, stdout: '' })
  })
})

describe('run that has run never says that it could not:', () => {
  const lostOutput = `Cannot read the output: `
  it.each([
    [0, 69],
    [3, 3],
  ])('it ended with %d, and its output breaks off', async (exitCode, code) => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(RUNNING).records(done(exitCode))
    gateway.rest.on(`GET /api/sessions/${SESSION}/result/stream`, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 }).write('a beginning\n')
      setImmediate(() => response.destroy())
    })
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([code, 'a beginning\n'])
    expect(ended.stderr).toMatch(/^runbook-agent: the session ended with exit code \d\. [^\n]*\n$/)
    expect(ended.stderr).toContain(lostOutput)
    expect(ended.stderr).toContain(`runbook-agent sessions output ${SESSION}`)
  })

  it('it was killed, and its output cannot be had', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(rpcError('Unknown', 'session killed by the user')).records(done(254))
    gateway.rest.on(`GET /api/sessions/${SESSION}/result/stream`, json(500, { message: 'no database' }))
    const ended = await run(gateway, 'pg', FILE)
    expect([ended.code, ended.stdout]).toEqual([254, ''])
    expect(ended.stderr).toContain('the session was ended at the gateway: session killed by the user. ')
    expect(ended.stderr).toContain(`${lostOutput}no database`)
  })

  it('the gateway refuses to say more of it', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(RUNNING)
    gateway.rest.on(`GET /api/sessions/${SESSION}`, json(401, { message: 'access denied' }))
    const ended = await run(gateway, 'pg', FILE)
    expect(ended.code).toBe(77)
    expect(ended.stderr).toMatch(
      new RegExp(`^runbook-agent: the end of session ${SESSION} is unknown: access denied[^\n]*\n$`),
    )
  })
})

describe('run does not send', () => {
  it('what lacks parameters: it says which, with everything that is declared of them', async () => {
    await using gateway = await RunbookGateway.start(declared)
    const ended = await run(gateway, 'pg', FILE, '-p', 'note=')
    expect([ended.code, ended.stdout, gateway.requests]).toEqual([64, '', []])
    expect(ended.stderr).toBe(
      [
        `runbook-agent: missing parameters of ${FILE}:`,
        '  state     which\\x1b[31m state (one of active, idle)',
        '  password  of the report (password)',
        'Add the values with -p name=value, with --param-file, or on a terminal\n',
      ].join('\n'),
    )
  })

  it.each([
    [['-p', 'stat=idle'], `${FILE} has no parameter stat: did you mean state?`],
    [['-p', 'state=idel'], 'parameter state: the value must be one of active, idle; did you mean idle?'],
    [['-p', 'password='], 'parameter password: the value may not be empty'],
    [['-p', 'state=idle', '-p', 'state=active'], '-p state is given twice'],
    [['-p', 'no-value-secret'], 'the value of -p has the form name=value'],
    [['-f', 'A=/none/file'], '-f: the file /none/file does not exist'],
    [['--param-file', '/none/file'], '--param-file /none/file does not exist'],
  ])('what is wrong: %j', async (flags, message) => {
    await using gateway = await RunbookGateway.start(declared)
    const ended = await run(gateway, 'pg', FILE, ...flags)
    expect([ended.code, ended.stdout, gateway.requests]).toEqual([64, '', []])
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toContain('secret')
  })

  it('a parameter file that is no map, and shows nothing of it', async () => {
    await using gateway = await RunbookGateway.start(declared)
    using place = new Workplace()
    for (const content of ['- secret', 'a: [secret]', 'a: b: secret', '"secret']) {
      place.write('p.yaml', content)
      const ended = await runProgram(place, ['run', 'pg', FILE, '--param-file', 'p.yaml'], gateway.env)
      expect([ended.code, ended.stderr]).toEqual([
        64,
        expect.stringContaining('the file must be a map of names to texts'),
      ])
      expect(ended.stderr).not.toContain('secret')
    }
  })

  it('a runbook that its gateway cannot read', async () => {
    await using gateway = await RunbookGateway.start({ ...plain, error: 'template: :1: unclosed' })
    expect(await run(gateway, 'pg', FILE)).toMatchObject({
      ...{ code: 64, stderr: `runbook-agent: ${FILE} cannot be run: template: :1: unclosed\n` },
    })
  })

  it('anything with --dry-run: it shows what it would, without secrets', async () => {
    await using gateway = await RunbookGateway.start(declared)
    gateway.rest.on('POST /api/runbooks/render', json(200, { script: "select 'hunter2' -- idle\u001b[2J" }))
    const flags = [
      '-p',
      'state=idle',
      '-p',
      'password=hunter2',
      '-p',
      'note=',
      '-e',
      'TOKEN=sesame',
      '--dry-run',
    ]
    const ended = await run(gateway, 'pg', FILE, ...flags)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('"password": "<hidden>"')
    expect(ended.stdout).toContain("select '<hidden>' -- idle\\x1b[2J\n")
    expect(ended.stdout).not.toMatch(/hunter2|sesame|c2VzYW1l/)
    const asJson = await run(gateway, 'pg', FILE, ...flags, '--json')
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      connection: 'pg',
      parameters: { state: 'idle' },
      env_vars: { 'envvar:TOKEN': '<hidden>' },
    })
    expect(gateway.requests).toEqual([])
  })

  it.each(['--dry-run', '--local'])(
    'nothing with a misplaced %s, unless it is to be passed on',
    async (flag) => {
      await using gateway = await RunbookGateway.start(plain)
      gateway.answers(json(200, answer()))
      const refused = await run(gateway, 'pg', FILE, '--', 'one', flag)
      expect(refused).toMatchObject({ code: 64, stdout: '' })
      expect(refused.stderr).toContain(`${flag} after -- goes to the connection's command`)
      expect(gateway.requests).toEqual([])
      expect((await run(gateway, 'pg', FILE, '--verbatim', '--', 'one', flag)).code).toBe(0)
      expect(gateway.requests).toMatchObject([{ client_args: ['one', flag] }])
    },
  )

  it('anything with --dry-run on both sides of --: the second one is for the command', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const { code, stdout } = await run(gateway, 'pg', FILE, '--dry-run', '--', '--dry-run')
    expect([code, stdout]).toEqual([0, expect.stringContaining('"--dry-run"')])
    expect(gateway.requests).toEqual([])
  })

  it('anything with --dry-run and missing values: it says which, and runs nothing', async () => {
    await using gateway = await RunbookGateway.start(declared)
    gateway.rest.on('POST /api/runbooks/render', json(200, { script: 'where ⟨state⟩', missing: ['state'] }))
    const ended = await run(gateway, 'pg', FILE, '-p', 'password=hunter2', '--dry-run')
    expect(ended).toMatchObject({
      ...{ code: 0, stderr: 'runbook-agent: cannot run yet: values are missing for state\n' },
      stdout: expect.stringContaining('where ⟨state⟩') as string,
    })
    const asJson = await run(gateway, 'pg', FILE, '--dry-run', '--json')
    expect(JSON.parse(asJson.stdout)).toMatchObject({ script: 'where ⟨state⟩', missing: ['state'] })
    expect(gateway.requests).toEqual([])
  })

  it('anything with --dry-run, and says so where the gateway cannot show the script', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const ended = await run(gateway, 'pg', FILE, '--dry-run')
    expect(ended).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('this gateway cannot show the script') as string,
    })
    expect(ended.stdout).toContain(`"file": "${FILE}"`)
  })

  it.each([
    ['a file that is in no list', 'ops/unlisted.runbook.sql', []],
    ['another commit', FILE, ['--ref', 'c0ffee']],
  ])('anything with --dry-run: of %s every parameter may be a secret', async (_, file, more) => {
    await using gateway = await RunbookGateway.start(declared)
    const flags = ['-p', 'state=hunter2', '--dry-run', ...more]
    const unsaid = await run(gateway, 'pg', file, ...flags)
    expect([unsaid.code, unsaid.stdout]).toEqual([0, expect.stringContaining('"state": "<hidden>"')])
    gateway.rest.on('POST /api/runbooks/render', json(200, { script: 'hunter2', secret_parameters: [] }))
    expect((await run(gateway, 'pg', file, ...flags)).stdout).toMatch(/"state": "hunter2"[^]*\nhunter2\n/)
  })
})

describe('run has one line and a code for', () => {
  it('an unknown connection and an unknown runbook, with what was probably meant', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(json(404, { message: 'runbook file ops/reprot.runbook.sql not found on git repo' }))
    const connection = await run(gateway, 'pgg', FILE)
    expect([connection.code, connection.stderr]).toEqual([
      64,
      'runbook-agent: the gateway has no connection pgg: did you mean pg?\n',
    ])
    const file = await run(gateway, 'pg', 'ops/reprot.runbook.sql')
    expect([file.code, file.stderr]).toEqual([
      64,
      expect.stringMatching(
        /^runbook-agent: cannot run [^\n]*not found on git repo: did you mean ops\/report\.runbook\.sql\?\n$/,
      ),
    ])
  })

  it('a token that is refused, a gateway that is down, one that fails, and what is none', async () => {
    await using gateway = await RunbookGateway.start(plain)
    const list = 'GET /api/runbooks'
    for (const [script, code, message] of [
      [
        json(401, { message: 'access denied' }),
        77,
        'access denied. The token may have expired: set HOOP_TOKEN to a new token',
      ],
      [json(500, { message: 'no database' }), 69, 'no database. See the log of the gateway'],
      [
        json(422, {
          message: 'unable to parse fields, missing required fields: ["summary" "customfield_1"]',
        }),
        64,
        'the Jira issue lacks required fields: add --jira summary=... --jira customfield_1=...\n',
      ],
      [json(422, { message: 'bad' }), 64, 'cannot run ops/report.runbook.sql on pg: bad'],
      [json(400, { message: 'other words', code: 'too-much-at-once' }), 69, 'other words. Try again when'],
      [json(400, { message: 'other words', code: 'unauthenticated' }), 77, 'other words. The token may'],
      [json(422, { message: 'bad', code: 'of-a-newer-gateway' }), 64, 'on pg: bad'],
    ] as const) {
      gateway.rest.on(list, script)
      const ended = await run(gateway, 'pg', FILE)
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([
        code,
        '',
        expect.stringMatching(/^runbook-agent: [^\n]*\n$/),
      ])
      expect(ended.stderr).toContain(message)
    }
    using place = new Workplace()
    const down = { ...gateway.env, HOOP_APIURL: 'http://127.0.0.1:1' }
    expect(await runProgram(place, ['run', 'pg', FILE], down)).toMatchObject({
      ...{
        code: 69,
        stdout: '',
        stderr: expect.stringMatching(/^runbook-agent: [^\n]*cannot be reached[^\n]*\n$/) as string,
      },
    })
    expect(await runProgram(place, ['run', 'pg', FILE])).toMatchObject({
      ...{
        code: 78,
        stderr: expect.stringMatching(
          /^runbook-agent: not signed in\. Run runbook-agent login [^\n]*\n$/,
        ) as string,
      },
    })
  })
})

describe('a signal while run waits', () => {
  it('once detaches, and says how to come back', async () => {
    await using gateway = await running()
    await using program = new Run(gateway)
    await found(() => gateway.rest.asked(`GET /api/sessions/${SESSION}`)[1])
    program.signal('SIGINT')
    expect((await program.ended()).code).toBe(130)
    expect(program.stderr).toContain(`session ${SESSION} continues (Ctrl-C again within 3 s stops it)`)
    expect(program.stderr).toContain(`runbook-agent sessions follow ${SESSION}`)
    expect(program.stderr).toContain(`runbook-agent sessions output ${SESSION}`)
    expect(program.stderr).toContain(`runbook-agent sessions kill ${SESSION}`)
    expect(gateway.rest.asked(KILL)).toEqual([])
  })

  it('twice kills it', async () => {
    await using gateway = await running()
    gateway.rest.on(KILL, (_, response) => {
      gateway.records(done(254))
      response.writeHead(204).end()
    })
    await using program = new Run(gateway)
    await interruptTwice(program, gateway)
    expect((await program.ended()).code).toBe(254)
    expect(program.stderr).toContain(`stopped session ${SESSION}`)
    expect(gateway.rest.asked(KILL)).toHaveLength(1)
  })

  it('twice says so when the gateway cannot kill it', async () => {
    await using gateway = await running()
    gateway.rest.on(KILL, (_, response) => response.destroy())
    await using program = new Run(gateway)
    await interruptTwice(program, gateway)
    expect((await program.ended()).code).toBe(69)
    expect(program.stderr).toContain(
      `runbook-agent: cannot stop session ${SESSION}, which may still run: no answer`,
    )
  })

  it('detaches also before there is an answer, by the id that was sent along', async () => {
    await using gateway = await RunbookGateway.start(plain)
    gateway.answers(() => undefined)
    gateway.rest.on('GET /api/sessions', (received, response) => {
      const correlation_id = gateway.requests[0]?.['correlation_id']
      json(200, { data: [{ id: SESSION, status: 'open', correlation_id }] })(received, response)
    })
    await using program = new Run(gateway)
    await found(() => gateway.requests[0])
    program.signal('SIGTERM')
    expect((await program.ended()).code).toBe(143)
    expect(program.stderr).toContain(`detaching: session ${SESSION} continues\n`)
  })
})

const KILL = `POST /api/sessions/${SESSION}/kill`

/** A gateway on which it runs on and on. */
async function running(): Promise<RunbookGateway> {
  const gateway = await RunbookGateway.start(plain)
  return gateway.answers(RUNNING).records({}).wrote(BYTES)
}

/** In a workplace of its own, which goes with it. */
class Run extends Program {
  readonly #place: Workplace

  constructor(gateway: RunbookGateway) {
    const place = new Workplace()
    super(place, ['run', 'pg', FILE], gateway.env)
    this.#place = place
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.#place[Symbol.dispose]()
  }
}

/** While it follows the session. */
async function interruptTwice(program: Run, gateway: RunbookGateway): Promise<void> {
  await found(() => gateway.rest.asked(`GET /api/sessions/${SESSION}`)[1])
  program.signal('SIGINT')
  await program.says('stderr', /Ctrl-C again/)
  program.signal('SIGINT')
}

async function run(gateway: RunbookGateway, ...args: readonly string[]): ReturnType<typeof runProgram> {
  using place = new Workplace()
  return await runProgram(place, ['run', ...args], gateway.env)
}

async function runBytes(
  gateway: RunbookGateway,
): Promise<{ readonly stdout: Buffer; readonly stderr: string; readonly code: number | null }> {
  using place = new Workplace()
  await using program = new Program(place, ['run', 'pg', FILE], gateway.env)
  const { code } = await program.ended()
  return { stdout: program.stdoutBytes, stderr: program.stderr, code }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
