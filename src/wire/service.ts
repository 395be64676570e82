import {
  Client,
  logVerbosity,
  makeClientConstructor,
  setLogVerbosity,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type CallOptions,
  type ChannelOptions,
  type Metadata,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { decodePacket, decodeTexts, encodePacket, encodeTexts } from './codec.ts'
import { MAX_MESSAGE_BYTES, type Packet } from './packet.ts'

// Silences grpc-js. It writes some errors to stderr (a port in use, for instance) in addition to returning them.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE)

interface HealthCheckResponse {
  readonly status: string
}

export interface PreConnectResponse {
  /** `CONNECT` when somebody waits for this agent, `BACKOFF` when nobody does. */
  readonly status: string
  readonly message: string
}

type Done<Response> = (error: ServiceError | null, response?: Response) => void

export interface TransportClient extends Client {
  Connect(metadata: Metadata): ClientDuplexStream<Packet, Packet>
  HealthCheck(
    request: Record<string, never>,
    options: CallOptions,
    done: Done<HealthCheckResponse>,
  ): ClientUnaryCall
  /** With empty fields it asks about the agent that the credential names. */
  PreConnect(
    request: Record<string, never>,
    metadata: Metadata,
    done: Done<PreConnectResponse>,
  ): ClientUnaryCall
}

type TransportConstructor = new (
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
) => TransportClient

const NO_MESSAGE = Buffer.alloc(0)

/** `protobuf.Transport` of proto/transport.proto: what a gateway serves ... */
export const transportService = {
  PreConnect: {
    path: '/protobuf.Transport/PreConnect',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => NO_MESSAGE,
    requestDeserialize: () => ({}),
    responseSerialize: ({ status, message }: PreConnectResponse) => encodeTexts(status, message),
    responseDeserialize: (bytes: Buffer): PreConnectResponse => {
      const [status = '', message = ''] = decodeTexts(bytes, 2)
      return { status, message }
    },
  },
  Connect: {
    path: '/protobuf.Transport/Connect',
    requestStream: true,
    responseStream: true,
    requestSerialize: encodePacket,
    requestDeserialize: decodePacket,
    responseSerialize: encodePacket,
    responseDeserialize: decodePacket,
  },
  HealthCheck: {
    path: '/protobuf.Transport/HealthCheck',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => NO_MESSAGE,
    requestDeserialize: () => ({}),
    responseSerialize: ({ status }: HealthCheckResponse) => encodeTexts(status),
    responseDeserialize: (bytes: Buffer): HealthCheckResponse => {
      const [status = ''] = decodeTexts(bytes, 1)
      return { status }
    },
  },
} as const satisfies ServiceDefinition

/** ... and what an agent calls. */
export const TransportClient = makeClientConstructor(
  transportService,
  'Transport',
) as unknown as TransportConstructor

/** Options for both ends, each with the reason why it is not the default. */
export const channelOptions = {
  // grpc-js's default is 4 MiB: a larger runbook would end the stream with all its sessions.
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  // Speeds up uploads from 189 to 500 MB/s, measured with this program.
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.enable_channelz': 0,
} as const satisfies ChannelOptions
