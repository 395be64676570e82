import { untilAbort } from '../../basics/abort.ts'
import { isServerFault } from './native-error.ts'
import type { ServerSocket } from './server-socket.ts'
import type { NativeProtocol, RawClient, Target } from './protocol.ts'

export function tcpProtocol(target: Target): NativeProtocol<RawClient> {
  return { serve: (client) => serveTcp(client, target) }
}

async function serveTcp(client: RawClient, target: Target): Promise<void> {
  try {
    using server = await target.dial(client.gone)
    await relay(client, server)
  } catch (error) {
    // The protocol cannot carry a text: the client only learns that its connection was not closed in order.
    client.reset()
    if (!isServerFault(error)) throw error
    target.log.warn({ connectionId: client.id, error: error.message }, 'native connection failed')
  }
}

/** @throws NativeError if the server is lost */
async function relay(client: RawClient, server: ServerSocket): Promise<void> {
  const toServer = client.deliver((bytes) => server.write(bytes)).then(() => server.finish())
  const toClient = server.deliver((bytes) => client.send(bytes)).then(() => client.finish())
  // A client that cannot end one direction waits for the end of the connection when the server has ended its own.
  const over = client.halfCloses
    ? toClient.then(() => Promise.race([toServer, server.closed()]))
    : Promise.race([toServer, toClient])
  await untilAbort(over, client.ending)
  if (client.ending.aborted) client.reset()
}
