import { connect, type Socket } from 'node:net'
import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import type { GatewayUser } from '../../../../src/gateway/identity.ts'
import { RequestRefused } from '../../../../src/gateway/refusals/request-refused.ts'
import { auditExportRoute } from '../../../../src/gateway/rest/audit-export.ts'
import { AuditWords } from '../../../../src/contract/audit-words.ts'
import type { RestServices } from '../../../../src/gateway/rest/services.ts'

const LINK = { sequence: 1, text: JSON.stringify({ actor: 'ann' }), hash: '' }
/** A log that is never read to its end, so that an export of it ends with its reader alone. */
const ENDLESS = {
  audit: { head: { sequence: Number.MAX_SAFE_INTEGER } },
  history: {
    read: (of: (tables: object) => unknown) =>
      of({ audit: { anchor: () => ({ sequence: 0 }), step: () => [LINK] } }),
  },
} as unknown as RestServices

it('an export does not look whole when the gateway stops before its end', async () => {
  const app = fastify()
  app.decorateRequest('user')
  app.addHook('onRequest', (request, _, done) => {
    request.user = { name: 'ann' } as GatewayUser
    done()
  })
  auditExportRoute(app, ENDLESS, new AuditWords({}))
  const answer = await fetch(`${await app.listen({ host: '127.0.0.1', port: 0 })}/api/audit/export`)
  const [read] = await Promise.allSettled([answer.text(), app.close()])
  expect(read.status).toBe('rejected')
})

it('a gateway serves at most two exports of one user and eight of all at once, and others again when one has ended', async () => {
  const app = fastify()
  app.decorateRequest('user')
  app.addHook('onRequest', (request, _, done) => {
    request.user = { name: String(request.headers['x-user']) } as GatewayUser
    done()
  })
  app.setErrorHandler((error, _, reply) =>
    error instanceof RequestRefused ? reply.code(429).send(error.message) : reply.code(500).send(error),
  )
  auditExportRoute(app, ENDLESS, new AuditWords({}))
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const open: Socket[] = []
  /** Begins an export, and reads no further than its first bytes. @returns its status, and why it is refused */
  const begins = async (user: string) => {
    const socket = connect(Number(port), '127.0.0.1')
    open.push(socket)
    socket.write(`GET /api/audit/export HTTP/1.1\r\nhost: gateway\r\nx-user: ${user}\r\n\r\n`)
    const text = await new Promise<string>((resolve) =>
      socket.once('data', (bytes) => resolve(bytes.toString())),
    )
    socket.pause()
    const [status, body] = [/ (\d+) /.exec(text)?.[1], text.split('\r\n\r\n')[1]]
    return [status, status === '200' ? '' : body]
  }
  const full = (of: string) =>
    `too many streams: this gateway serves at most ${of} at once; close some streams first`
  try {
    for (const user of ['ann', 'bea', 'cid'])
      expect([await begins(user), await begins(user)]).toEqual([
        ['200', ''],
        ['200', ''],
      ])
    expect(await begins('ann')).toEqual(['429', full('2 streams of exports per user')])
    expect([await begins('dan'), await begins('eve')]).toEqual([
      ['200', ''],
      ['200', ''],
    ])
    expect(await begins('fay')).toEqual(['429', full('8 streams of exports')])
    open[0]?.destroy()
    await expect.poll(() => begins('fay')).toEqual(['200', ''])
  } finally {
    for (const socket of open) socket.destroy()
    await app.close()
  }
})
