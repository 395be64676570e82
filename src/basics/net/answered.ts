import type { ClientRequest, IncomingMessage } from 'node:http'

/** The head of the answer to a request. Rejects with the error of a request that gets none. */
export function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
    // After "101 Switching Protocols" Node ends the connection without either event (seen).
    request.once('close', () => reject(new Error('no answer, or an upgrade that was not asked for')))
  })
}
