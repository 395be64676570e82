import { lookup } from 'node:dns/promises'
import { createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Address } from '../../basics/net/address.ts'

/**
 * Listens on the address; for `localhost` on each of its addresses (127.0.0.1 and ::1). fastify would open a
 * second HTTP server for the second address, without the limits and the answers to faults of the first one.
 * @returns the URL of the first address
 */
export async function listenOn(app: FastifyInstance, { host, port }: Address): Promise<string> {
  if (host.toLowerCase() !== 'localhost') return app.listen({ host, port })
  const [first, ...others] = (await lookup(host, { all: true })).map(({ address }) => address)
  const url = await app.listen({ host: first ?? host, port })
  const bound = Number(new URL(url).port)
  for (const other of others) await passOn(app.server, { host: other, port: bound })
  return url
}

/** Gives the connections of one more address to the server. An address that the machine lacks is left out. */
async function passOn(to: Server, address: Address): Promise<void> {
  // As HTTP servers open their sockets.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    to.emit('connection', socket),
  )
  to.once('close', () => server.close())
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve())
    server.listen(address, resolve)
  })
}
