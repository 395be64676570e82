import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import { Turns } from '../turns.ts'

/** Of one user at once; each may have 16 MiB and take five minutes. */
const LARGE_BODIES = 4
/** Smaller ones do not wait: most requests are. */
const LARGE_BYTES = 64 * 1024

/** Large bodies are read in turns: what a user sends slowly, many times, would fill the memory. */
export function readBodiesInTurns(app: FastifyInstance): void {
  const turns = new Turns(LARGE_BODIES)
  app.addHook('preParsing', async ({ raw, user }) => {
    if (!isLarge(raw)) return
    await new Promise<void>((resolve) => {
      void turns.of(user.name)(() => {
        resolve()
        return read(raw)
      })
    })
  })
}

function isLarge({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > LARGE_BYTES
}

/** Settles when the body has been read, or never will be. */
async function read(raw: IncomingMessage): Promise<void> {
  await finished(raw).catch(() => undefined)
}
