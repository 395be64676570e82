import { createHash } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NativeError } from '../../../src/agent/native/native-error.ts'
import { firstMessage, messageTypes } from '../../../src/agent/native/postgres/messages.ts'
import { readStartup, serverStartup } from '../../../src/agent/native/postgres/startup.ts'
import { postgresProtocol } from '../../../src/agent/native/postgres/postgres.ts'
import type { NativeClient, Target } from '../../../src/agent/native/protocol.ts'
import { ServerSocket } from '../../../src/agent/native/server-socket.ts'
import { Authority } from '../../support/network/certificates.ts'
import { ScramServer, type ScramOptions } from '../../support/native/scram-server.ts'
import { waitFor } from '../../support/wait.ts'

const PASSWORD = 'pencil-of-the-server'

/** What a client reads that sends these bytes and stays. */
async function read(
  bytes: Buffer,
  port: number,
  more: Readonly<Record<string, string>> = {},
  loginMs?: number,
) {
  const log: string[] = []
  const note = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
  const address = { host: '127.0.0.1', port }
  const variables: Record<string, string> = { USER: 'scramuser', PASS: PASSWORD, ...more }
  const target: Target = {
    address,
    variable: (name) => variables[name],
    account: () => Promise.resolve({ user: variables['USER'] ?? '', password: variables['PASS'] ?? '' }),
    dial: (gone) => ServerSocket.dial(address, gone, loginMs === undefined ? {} : { loginMs }),
    rules: undefined,
    log: { debug: note, info: note, warn: note, error: note },
  }
  const gone = new AbortController()
  const sent: Buffer[] = []
  let first: Buffer | undefined = bytes
  const ready = () =>
    Buffer.concat(sent)
      .subarray(-6)
      .equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))
  let wake = (): void => undefined
  const client: NativeClient = {
    ...{ id: '1', isSilent: false, isOurs: false, gone: gone.signal, ending: new AbortController().signal },
    next: async () => {
      const given = first
      first = undefined
      if (given === undefined && !ready()) await new Promise<void>((resolve) => (wake = resolve))
      return given
    },
    deliver: async (take) => {
      for (let given = await client.next(); given !== undefined; given = await client.next())
        await take(given)
    },
    send: async (data) => {
      sent.push(data)
      if (ready()) wake()
      await Promise.resolve()
    },
  }
  await postgresProtocol(target).serve(client)
  gone.abort()
  return { text: Buffer.concat(sent).toString('latin1'), isReady: ready(), log: log.join('\n') }
}

function startup(parameters: Record<string, string> = { user: 'noop', database: 'shop' }): Buffer {
  return serverStartup(
    { kind: 'startup', version: 196_608, parameters: new Map(Object.entries(parameters)) },
    'noop',
    '',
  )
}

function errorOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as Error).constructor
  }
}

async function login(options: Partial<ScramOptions>, more: Readonly<Record<string, string>> = {}) {
  await using server = await ScramServer.start({ password: PASSWORD, ...options })
  const { seen, bindings, port } = server
  return { ...(await read(startup(), port, more)), seen, bindings }
}

describe('the login at a PostgreSQL server', () => {
  it('takes the password, an MD5 answer or SCRAM, and gives none of it to the client', async () => {
    const scram = await login({})
    expect([scram.isReady, scram.seen, scram.bindings]).toEqual([true, ['SCRAM-SHA-256', 'n,'], ['n,,']])
    const md5 = await login({ asks: 5 })
    const inner = createHash('md5').update(`${PASSWORD}scramuser`).digest('hex')
    expect(md5.seen).toEqual([`md5${createHash('md5').update(`${inner}salt`).digest('hex')}`])
    const clear = await login({ asks: 3 })
    expect([clear.isReady, clear.text]).toEqual([false, expect.stringContaining('only over TLS')])
    for (const { text, log } of [scram, md5, clear]) expect(text + log).not.toMatch(/pencil|scramuser/)
  })

  it('is bound to the TLS connection where the server offers that, and says so where it does not', async () => {
    const authority = new Authority('the test')
    const { key, certificate: cert } = authority.issue({ names: ['127.0.0.1'] })
    const ca = authority.certificate
    const tls = { key, cert }
    const both = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']
    const bound = await login({ tls, mechanisms: both })
    expect([bound.isReady, bound.seen[0], bound.bindings]).toEqual([true, both[0], ['the certificate']])
    const unbound = await login({ tls })
    expect([unbound.isReady, unbound.bindings]).toEqual([true, ['y,,']])
    expect((await login({ tls, asks: 3 }, { SSLMODE: 'require' })).seen).toEqual([PASSWORD])
    expect((await login({}, { SSLMODE: 'require' })).text).toContain('SSL was required')
    expect((await login({ tls }, { SSLMODE: 'verify-full' })).text).toContain('TLS with 127.0.0.1')
    expect((await login({ tls }, { SSLMODE: 'verify-full', SSLROOTCERT: ca })).isReady).toBe(true)
    expect((await login({ tls }, { SSLMODE: 'disable' })).isReady).toBe(true)
  })

  it.each(['signature', 'skips-signature', 'nonce'] as const)(
    'ends at a server that lies (%s)',
    async (lies) => {
      const { isReady, text } = await login({ lies })
      expect([isReady, text]).toEqual([false, expect.stringContaining('C08006')])
    },
  )

  it.each(['repeats', 'weakens', 'weakens-at-once'] as const)(
    'goes one way only, and once (%s)',
    async (lies) => {
      const { isReady, text } = await login({ lies })
      expect([isReady, text]).toEqual([false, expect.stringContaining('C08P01')])
    },
  )
})

describe('a PostgreSQL server that does not finish the login', () => {
  const scram = 'R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0'
  it.each([
    ['says nothing', []],
    ['stops behind the request for TLS', ['N']],
    ['stops in the middle of a message', ['N', 'R\0\0\0']],
    ['stops in the middle of SCRAM', ['N', scram]],
    ['lets the agent in and is never ready', ['N', 'R\0\0\0\x08\0\0\0\0']],
  ])('is named to the client when it %s', async (_, answers) => {
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined))
      const left = [...answers]
      socket.on('data', () => socket.write(Buffer.from(left.shift() ?? '', 'latin1')))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { text } = await read(startup(), port, {}, 50)
    expect(text).toContain('C08006')
    expect(text).toContain(`127.0.0.1:${port} did not finish the login`)
    await waitFor(() => sockets.every((socket) => socket.readableEnded || socket.destroyed))
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('what a client of PostgreSQL sends', () => {
  it('is read as a startup packet, waited for, or malformed, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, isNearlyValid) => {
        const bytes = Buffer.from(noise)
        if (isNearlyValid && bytes.length >= 8) {
          bytes.writeUInt32BE(bytes.length, 0)
          bytes.writeUInt32BE(196_608, 4)
        }
        expect([undefined, NativeError]).toContain(errorOf(() => readStartup(bytes)))
        expect([undefined, NativeError]).toContain(errorOf(() => firstMessage(bytes, 1000)))
      }),
      { numRuns: 1000 },
    )
  })

  it('is cut into the same messages, wherever its packets end', () => {
    const message = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 }))
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 20 })), (messages, cuts) => {
        const all = Buffer.concat(
          messages.map(([type, content]) => {
            const head = Buffer.from([type, 0, 0, 0, content.length + 4])
            return Buffer.concat([head, content])
          }),
        )
        const types: number[] = []
        const scanner = messageTypes((type) => types.push(type))
        let at = 0
        for (const cut of [...cuts, all.length]) {
          scanner.push(all.subarray(at, at + cut))
          at += cut
        }
        expect(types).toEqual(messages.map(([type]) => type))
        expect(scanner.isBetween).toBe(true)
      }),
    )
  })

  it('that is noise gets an error, and no password', async () => {
    await using server = await ScramServer.start({ password: PASSWORD })
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(64, 0xff),
      Buffer.from([0, 0, 0, 4]),
    ]) {
      const { text } = await read(bytes, server.port)
      expect(text).toContain('C08P01')
      expect(text).not.toContain('pencil')
    }
  })
})
