import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientSite, textOf } from '../../support/sites/client-site.ts'
import { base64 } from '../../support/scripted/open.ts'
import { otherToken } from '../../support/sites/running-gateway.ts'

// Command line clients, the gateway and an agent with real commands.

let site: ClientSite
beforeAll(async () => {
  const pg = '\n  - { name: pg, agent: local, command: [bash], type: database, subtype: oracledb }'
  site = await ClientSite.start({}, pg)
})
afterAll(() => site[Symbol.asyncDispose]())

describe('exec', () => {
  it('streams both outputs apart and ends in good order with the code', async () => {
    await using exec = site.client('exec')
    expect(await exec.exec('echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      code: 7,
      message: '',
    })
    expect([exec.status?.code, exec.status?.details]).toEqual([0, 'OK'])
  })

  it('gets the reason of an end that was not the command own', async () => {
    await using exec = site.client('exec')
    const { code, message } = await exec.exec('printf x; kill -9 $$')
    expect([code, message]).toEqual([137, '\nkilled by signal 9 (SIGKILL)'])
  })

  it('tells the client session and type at the opening, and the name instead of the command', async () => {
    await using exec = site.client('exec')
    const { stdout } = await exec.exec('echo "$1 $A $HOOP_CLIENT_ORIGIN $HOOP_CLIENT_VERB $HOOP_USER_ID"', {
      clientArgs: ['-s', '--', 'argument'],
      clientEnvVars: new Map([['envvar:A', base64('variable')]]),
    })
    expect(stdout).toBe('argument variable client exec admin\n')
    const { spec } = await exec.packet('ClientSessionOpenOK')
    expect([String(spec['gateway.connection_type']), String(spec['client.command'])]).toEqual([
      'command-line',
      'bash',
    ])
  })

  it('runs an empty script, and one of 16 MB', async () => {
    await using empty = site.client('exec')
    await using large = site.client('exec')
    expect((await empty.exec('')).code).toBe(0)
    const script = `cat <<'X' | wc -c\n${'x'.repeat(16_000_000)}\nX\n`
    expect(await large.exec(script)).toMatchObject({ stdout: '16000001\n', code: 0 })
  })

  it('runs one script, whatever comes behind it', async () => {
    await using exec = site.client('exec')
    const script = 'echo once; read -r -t 0.2 _ <> <(:); exit 3'
    exec.open(script)
    await exec.packet('ClientSessionOpenOK')
    exec.send({ kind: 'exec', stdin: Buffer.from(script) })
    exec.send({ kind: 'exec', stdin: Buffer.from(script) })
    exec.send({ kind: 'input', data: Buffer.from('x') })
    expect(await exec.ended()).toMatchObject({ stdout: 'once\n', code: 3 })
  })

  it('runs a script that came too early for the agent', async () => {
    await using exec = site.client('exec')
    exec.open('echo early')
    exec.send({ kind: 'exec', stdin: Buffer.from('echo early') })
    expect(await exec.ended()).toMatchObject({ stdout: 'early\n', code: 0 })
  })

  it('is recorded with script, output, code and what it was asked with', async () => {
    await using exec = site.client('exec', { 'correlation-id': 'ticket-7' })
    await exec.exec('echo out; echo err >&2; exit 7')
    const record = await site.recorded(await exec.sid())
    expect(record).toMatchObject({
      exit_code: 7,
      origin: 'client',
      verb: 'exec',
      user_name: 'admin',
      correlation_id: 'ticket-7',
      script: { data: 'echo out; echo err >&2; exit 7' },
    })
    expect(textOf(record, 'i')).toBe('echo out; echo err >&2; exit 7')
    expect([textOf(record, 'o').length, textOf(record, 'e')]).toEqual([8, ''])
  })

  it('works for every user who may see the connection', async () => {
    await using exec = site.client('exec', { authorization: `bearer ${otherToken}` })
    expect((await exec.exec('echo $HOOP_USER_ID')).stdout).toBe('other\n')
  })
})

describe('connect', () => {
  it('is a terminal of the right size that follows the window', async () => {
    await using terminal = site.client('connect')
    await terminal.connect({ rows: 33, cols: 101 })
    terminal.type('stty size; tty\n')
    await terminal.shows('33 101')
    terminal.send({ kind: 'resize', rows: 50, cols: 120 })
    terminal.type('stty size; exit 5\n')
    const { stdout, code } = await terminal.ended()
    expect(stdout).toContain('50 120')
    expect(stdout).toContain('/dev/pts/')
    expect([code, terminal.status?.code]).toEqual([5, 0])
  })

  it('takes a size from before the first key', async () => {
    await using terminal = site.client('connect')
    terminal.open()
    await terminal.packet('ClientSessionOpenOK')
    terminal.send({ kind: 'resize', rows: 11, cols: 77 })
    terminal.type('\n')
    terminal.type('stty size; exit\n')
    expect((await terminal.ended()).stdout).toContain('11 77')
  })

  it('brings keys as they are: Ctrl-C and Ctrl-D, and bytes that are no text', async () => {
    await using terminal = site.client('connect')
    await terminal.connect()
    terminal.type(`bash -c 'trap "echo interrupted; exit" INT; echo waiting-$((1 + 1)); sleep 1000'\n`)
    await terminal.shows('waiting-2')
    terminal.type('\x03')
    await terminal.shows(/interrupted\r\n/)
    terminal.type('stty raw -echo; echo ready-$((1 + 1)); head -c 4 | od -An -tx1; stty sane\n')
    await terminal.shows('ready-2')
    terminal.send({ kind: 'input', data: Buffer.from([0x00, 0xff, 0xc3, 0x04]) })
    // Only at its prompt the shell takes Ctrl-D for an end.
    await terminal.shows(/00 ff c3 04\n[^]*[#$] $/)
    terminal.type('\x04')
    expect((await terminal.ended()).code).toBe(0)
  })

  it('takes a paste of 1 MB', async () => {
    await using terminal = site.client('connect')
    await terminal.connect()
    terminal.type('stty raw -echo; echo ready-$((1 + 1)); head -c 1000000 | md5sum; stty sane; exit\n')
    await terminal.shows('ready-2')
    const paste = 'abcdefghi\n'.repeat(100_000)
    terminal.type(paste)
    const { stdout } = await terminal.ended()
    expect(stdout).toContain(createHash('md5').update(paste).digest('hex'))
  })

  it('is a terminal for hoop command line as well, whatever the type of the connection', async () => {
    await using terminal = site.client('connect', { 'connection-name': 'pg' })
    await terminal.connect()
    terminal.type('exit 4\n')
    expect((await terminal.ended()).code).toBe(4)
    const { spec } = await terminal.packet('ClientSessionOpenOK')
    expect(String(spec['gateway.connection_type'])).toBe('command-line')
  })

  it('is recorded so that it can be replayed: output with its times, and no keys', async () => {
    await using terminal = site.client('connect')
    await terminal.connect({ rows: 33, cols: 101 })
    terminal.type('read -rs -p "password: " SECRET\n')
    await terminal.shows(/password: $/)
    terminal.type('hunter2-typed-unseen\n')
    terminal.send({ kind: 'resize', rows: 50, cols: 120 })
    terminal.type('echo the length is ${#SECRET}; exit\n')
    await terminal.ended()
    const record = await site.recorded(await terminal.sid())
    expect(record).toMatchObject({ exit_code: 0, origin: 'client', verb: 'connect', script: { data: '' } })
    expect(textOf(record, 'o')).toContain('the length is 20')
    expect(JSON.stringify(record)).not.toContain('hunter2')
    expect(textOf(record, 'i')).toBe('')
    const times = record.events.map(({ seconds }) => seconds)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })
})
