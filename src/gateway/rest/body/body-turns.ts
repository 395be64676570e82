import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import type { GatewayUser } from '../../identity.ts'
import { Turns } from '../../../basics/turns.ts'

/** Read at once per user. Each may have 16 MiB and take five minutes. */
const LARGE_BODIES = 4
/** Smaller bodies, which most requests have, do not wait. */
const LARGE_BYTES = 64 * 1024

/** Large bodies are read in turns, or one user could fill the memory with many slow ones. */
export function readBodiesInTurns(app: FastifyInstance): void {
  const turns = new Turns(LARGE_BODIES)
  app.addHook('preParsing', async (request, { raw: answer }) => {
    const { raw, user } = request as { raw: IncomingMessage; user: GatewayUser | undefined }
    // Without a user (signing in) at most 8 KiB are read.
    if (user === undefined || !isLarge(raw)) return
    await new Promise<void>((resolve) => {
      void turns.of(user.name)(() => {
        resolve()
        return read(raw, answer)
      })
    })
  })
}

function isLarge({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > LARGE_BYTES
}

/** Settles when the body is read or never will be: Node reports no end if the answer came before. */
async function read(raw: IncomingMessage, answer: ServerResponse): Promise<void> {
  await Promise.race([finished(raw), finished(answer)]).catch(() => undefined)
}
