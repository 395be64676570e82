import { Channel } from '../../dial/channel.ts'
import { STREAM_TIMING, type StreamTiming } from '../../dial/health.ts'
import type { PacketLine } from '../../dial/packet-line.ts'
import { PacketStream } from '../../dial/packet-stream.ts'
import type { Account } from '../account/account.ts'
import { findGrpcUrl } from '../rest/gateway.ts'
import { metadataOf, type StreamAccess, type StreamRequest } from './client-session.ts'

/** There is no deadline for the first packet, because a gateway may wait for an agent or for an approval. */
const CLIENT_TIMING: StreamTiming = { ...STREAM_TIMING, firstPacket: 'whenever' }

/** @throws ApiError, SetUpError */
export async function grpcAccess(account: Account): Promise<StreamAccess> {
  const destination = account.destination(await findGrpcUrl(account))
  return { destination, proxy: account.proxyTo(destination.address), token: account.token }
}

/** Opens a gRPC stream, which every gateway serves. */
export function openGrpcLine(
  access: StreamAccess,
  request: StreamRequest,
  timing: StreamTiming = CLIENT_TIMING,
): PacketLine {
  const channel = new Channel(access.destination, access.proxy)
  const metadata = { ...metadataOf(request), authorization: `Bearer ${access.token.reveal()}` }
  const stream = new PacketStream(channel, metadata, timing)
  return {
    address: access.destination.address,
    get error() {
      return stream.error
    },
    receive: () => stream.receive(),
    send: (packet) => stream.send(packet),
    drop(reason) {
      stream.drop(reason)
      channel[Symbol.dispose]()
    },
  }
}
