import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CallerAddress } from '../../../basics/net/caller-address.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where the request comes from. Not `ip`, which knows no proxies. */
    readonly callerAddress: string
  }
}

/** Tells every request where it comes from. */
export function knowCallers(app: FastifyInstance, callerAddress: CallerAddress): void {
  app.decorateRequest('callerAddress', {
    getter(this: FastifyRequest) {
      return addressOf(callerAddress, this.raw)
    },
  })
}

export function addressOf(callerAddress: CallerAddress, { headers, socket }: IncomingMessage): string {
  return callerAddress(socket.remoteAddress ?? '', headers['x-forwarded-for']?.toString())
}
