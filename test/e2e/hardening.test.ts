import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../support/sites/site.ts'

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

let site: Site
beforeAll(async () => {
  site = await Site.start()
})
afterAll(() => site[Symbol.asyncDispose]())

describe('the agent', () => {
  it("does not open Node's debugger to a runbook that sends it SIGUSR1", async () => {
    const { body } = await site.rest.script('bash', 'kill -USR1 $PPID; sleep 0.3; echo sent')
    expect([body.output, await connects(9229)]).toEqual(['sent\n', false])
    expect((await site.rest.script('bash', 'exit 0')).body.exit_code).toBe(0)
  })

  it('does not send a key in the clear to the proxy of http_proxy', async () => {
    let asked = 0
    const proxy = createServer((socket) => {
      asked += 1
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => proxy.once('listening', resolve))
    const { port } = proxy.address() as { port: number }
    const url = `http://127.0.0.1:${port}`
    {
      await using proxied = await Site.start({ env: { http_proxy: url, https_proxy: url, grpc_proxy: url } })
      expect((await proxied.rest.script('bash', 'exit 0')).body.exit_code).toBe(0)
    }
    await new Promise((resolve) => proxy.close(resolve))
    expect(asked).toBe(0)
  })

  it('hides its environment and memory from its own commands', async () => {
    // Root may read everything; the kernel shows by the owner of the files whether others of the same user may.
    const { body } = await site.rest.script(
      'bash',
      'stat -c %U /proc/$PPID/environ; stat -c %U /proc/$$/environ',
    )
    const [ofAgent] = body.output.split('\n')
    expect(ofAgent).toBe('root')
  })

  const readable = (() => {
    try {
      accessSync(process.execPath, constants.X_OK)
      return (
        process.getuid?.() === 0 &&
        spawnSync('setpriv', ['--reuid', '65534', process.execPath, 'dist/main.js', 'version']).status === 0
      )
    } catch {
      return false
    }
  })()
  it.skipIf(!readable)(
    'that is not root cannot be read by its commands (needs root and setpriv)',
    async () => {
      const script = [
        "import { loadEngine } from './dist/runtime/engine.js'",
        'const engine = await loadEngine()',
        'engine.guard()',
        "const { spawnSync } = await import('node:child_process')",
        "console.log(spawnSync('cat', ['/proc/' + process.pid + '/environ']).stderr.toString())",
      ].join('\n')
      const ran = spawnSync('setpriv', [
        '--reuid',
        '65534',
        '--clear-groups',
        process.execPath,
        '--input-type=module',
        '-e',
        script,
      ])
      expect(String(ran.stdout)).toContain('Permission denied')
      await Promise.resolve()
    },
  )
})

it('the runtime lives through a lack of descriptors: what runs ends with its code, what starts fails with EMFILE', () => {
  const script = `
    import { openSync } from 'node:fs'
    import { loadEngine } from './dist/runtime/engine.js'
    import { execute } from './dist/runtime/execution.js'
    const engine = await loadEngine()
    engine.guard()
    const path = process.env.PATH
    const begin = (script, terminal) => {
      const argv = ['sh', '-c', script].map((argument) => Buffer.from(argument))
      const command = { argv, environment: [Buffer.from('PATH=' + path)], path, cwd: '/', stdin: Buffer.alloc(0) }
      return execute(engine, command, { graceMs: 200, instance: crypto.randomUUID(), marker: 'MARKER=x', terminal })
    }
    const end = async (execution) => {
      for await (const chunk of execution.output) void chunk
      return execution.exit
    }
    const run = async (script, terminal) => end(await begin(script, terminal))
    const running = end(await begin('sleep 0.3; sleep 1000 & exit 4'))
    const fill = () => { try { for (;;) openSync('/dev/null') } catch { /* none is left */ } }
    fill()
    const ended = await running
    const refused = await run('exit 5')
    fill()
    const noTerminal = await run('exit 5', { cols: 80, rows: 24 })
    console.log(ended.code, refused.kind, refused.cause.code, noTerminal.kind, noTerminal.cause.code)`
  const limited = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script]
  const ran = spawnSync('sh', limited, { encoding: 'utf8' })
  expect([ran.stdout, ran.stderr, ran.status]).toEqual(['4 failed EMFILE failed EMFILE\n', '', 0])
})

describe('the gateway', () => {
  it('reads no body of a caller without a token', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(site.address.split(':')[1]) })
      socket.once('data', (data) => {
        socket.destroy()
        resolve(String(data))
      })
      socket.once('error', reject)
      socket.write(
        'POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{',
      )
    })
    expect(answer).toMatch(/^HTTP\/1.1 401 /)
  })
})
