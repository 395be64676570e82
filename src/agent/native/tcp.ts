import { onAbort } from '../../basics/abort.ts'
import { isServerFault } from './native-error.ts'
import type { ServerSocket } from './server-socket.ts'
import type { NativeClient, NativeProtocol, Target } from './protocol.ts'

export function tcpProtocol(target: Target): NativeProtocol {
  return { serve: (client) => serveTcp(client, target) }
}

async function serveTcp(client: NativeClient, target: Target): Promise<void> {
  try {
    using server = await target.dial(client.gone)
    await relay(client, server)
  } catch (error) {
    // The protocol cannot carry a text: the client only learns that the connection is over.
    if (!isServerFault(error)) throw error
    target.log.warn({ connectionId: client.id, error: error.message }, 'native connection failed')
  }
}

async function relay(client: NativeClient, server: ServerSocket): Promise<void> {
  const toServer = client.deliver((bytes) => server.write(bytes))
  const toClient = server.deliver((bytes) => client.send(bytes))
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  using _ = onAbort(client.ending, end)
  await Promise.race([toServer, toClient, ended])
}
