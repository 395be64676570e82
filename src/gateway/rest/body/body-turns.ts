import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import type { UserSettings } from '../../settings/settings.ts'
import { Turns } from '../../turns.ts'

/** Of one user at once; each may have 16 MiB and take five minutes. */
const LARGE_BODIES = 4
/** Smaller ones do not wait: most requests are. */
const LARGE_BYTES = 64 * 1024

/** Large bodies are read in turns: what a user sends slowly, many times, would fill the memory. */
export function readBodiesInTurns(app: FastifyInstance): void {
  const turns = new Turns(LARGE_BODIES)
  app.addHook('preParsing', async (request, { raw: answer }) => {
    const { raw, user } = request as { raw: IncomingMessage; user: UserSettings | undefined }
    // Where no user is asked for next to nothing is read: 8 KiB to sign in.
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

/** Settles when the body has been read, or never will be: of one that was answered before, Node tells no end. */
async function read(raw: IncomingMessage, answer: ServerResponse): Promise<void> {
  await Promise.race([finished(raw), finished(answer)]).catch(() => undefined)
}
