import {
  makeClientConstructor,
  type ChannelOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type Metadata,
} from '@grpc/grpc-js'
import type { Packet } from '../../../src/wire/packet.ts'
import { transportService } from '../../../src/wire/service.ts'

/** The stream of packets by grpc-js, as other programs open it. */
export interface TransportClient extends Client {
  Connect(metadata: Metadata): ClientDuplexStream<Packet, Packet>
}

export const TransportClient = makeClientConstructor(
  transportService,
  'protobuf.Transport',
) as unknown as new (
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
) => TransportClient
