import { signalChild } from '../../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClientSite } from '../../support/sites/client-site.ts'
import { outcome, start } from '../../support/sites/execute.ts'
import { go, GO_MS } from '../../support/machine/go.ts'
import { userToken } from '../../support/scripted/scripted-client.ts'
import { waitFor } from '../../support/wait.ts'

// hoop's own command line is a Go program over grpc-go: this one does on the wire what that one does.

const SOURCE = fileURLToPath(new URL('../../../fixtures/hoopclient', import.meta.url))
const inSource = (...args: string[]) => go(args, { cwd: SOURCE })
const canBuild = inSource('version').status === 0 && inSource('mod', 'download').status === 0

let site: ClientSite
let folder: string
let program: string

describe.skipIf(!canBuild)('a client in Go (needs the go command and its modules)', () => {
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hoopclient-'))
    program = path.join(folder, 'hoopclient')
    const build = inSource('build', '-o', program, '.')
    if (build.status !== 0) throw new Error(`go build failed: ${build.stderr}`)
  }, GO_MS)
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeEach(async () => {
    site = await ClientSite.start()
  })
  afterEach(() => site[Symbol.asyncDispose]())

  const command = (verb: string, more: readonly string[] = [], connection = 'bash') => [
    program,
    verb,
    '-address',
    site.gateway.gateway.grpc.replace('grpc://', ''),
    '-connection',
    connection,
    ...more,
  ]
  const environment = { HOOP_TOKEN: userToken, PATH: process.env['PATH'] ?? '' }

  async function exec(input: string, more: readonly string[] = [], token = userToken, connection = 'bash') {
    const [file = '', ...args] = command('exec', more, connection)
    const child = spawn(file, args, { env: { ...environment, HOOP_TOKEN: token } })
    const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (data: Buffer) => parts[stream].push(data))
    child.stdin.end(input)
    const code = await new Promise((resolve) => child.once('close', resolve))
    return { code, stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr).toString() }
  }

  it('exec: arguments and variables in Go own gob, outputs apart, the code, and the reason of an end', async () => {
    const script = 'echo "$1 $A"; echo err >&2; kill -9 $$'
    const { code, stdout, stderr } = await exec(script, ['-e', 'A=variable', '--', '-s', '--', 'argument'])
    expect([code, stdout.toString()]).toEqual([137, 'argument variable\n'])
    expect(stderr).toMatch(/^session [0-9a-f-]{36} \| bash\nerr\n/)
    expect(stderr).toContain('killed by signal 9 (SIGKILL)')
  })

  it('exec: an empty script, and 50 MB of output byte for byte', async () => {
    expect((await exec('')).code).toBe(0)
    const { code, stdout } = await exec('seq 1 6500000; exit 3')
    const lines = stdout.toString().split('\n')
    expect([code, lines.length, lines[0], lines[6_499_999]]).toEqual([3, 6_500_001, '1', '6500000'])
  })

  it.each([
    ['an unknown token', 'another-token-0123456789', 'bash', 'Unauthenticated desc = invalid authentication'],
    ['an unknown connection', userToken, 'nope', 'NotFound desc = connection not found'],
  ])('exec: is refused with %s', async (_, token, connection, text) => {
    const { code, stderr } = await exec('true', [], token, connection)
    expect([code, stderr]).toEqual([1, `rpc error: code = ${text}\n`])
  })

  it('exec: ends its command when it is interrupted', async () => {
    const [file = '', ...args] = command('exec')
    const child = spawn(file, args, { env: environment, stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.end('echo on; exec sleep 1000')
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const over = new Promise((resolve) => child.once('close', resolve))
    signalChild(child, 'SIGINT')
    await over
    const ended = () => site.agent.entries.find((one) => one.event === 'ended')
    await waitFor(() => ended() !== undefined)
    expect(ended()).toMatchObject({ exitCode: 143, reason: 'closed-by-gateway' })
  })

  it('connect: a terminal with keys, the window and its changes, and the code', async () => {
    const terminal = await start(command('connect'), {
      environment: [`HOOP_TOKEN=${userToken}`],
      terminal: { cols: 101, rows: 33 },
    })
    let shown = ''
    const ended = outcome({
      exit: terminal.exit,
      output: (async function* () {
        for await (const chunk of terminal.output) {
          shown += chunk.data.toString()
          yield chunk
        }
      })(),
    })
    const shows = (text: string) => waitFor(() => shown.includes(text))
    await shows('$ ').catch(() => shows('# '))
    terminal.type(Buffer.from('stty size\r'))
    await shows('33 101')
    terminal.resize({ cols: 120, rows: 50 })
    // The window's signal and the keys take different ways.
    terminal.type(
      Buffer.from('until [ "$(stty size)" = "50 120" ]; do sleep 0.05; done; echo resized-$((1 + 1))\r'),
    )
    await shows('resized-2')
    terminal.type(Buffer.from('exit 5\r'))
    expect((await ended).status).toEqual({ kind: 'exited', code: 5 })
    await terminal[Symbol.asyncDispose]()
  })
})
