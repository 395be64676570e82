import {
  Client,
  loadPackageDefinition,
  logVerbosity,
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
import { loadSync } from '@grpc/proto-loader'
import { packageFiles } from '../basics/files/package-files.ts'
import { keepTickObject } from './tick-objects.ts'
import { decodePacket, encodePacket } from './packet-codec.ts'
import { MAX_MESSAGE_BYTES, type Packet } from './packet.ts'

// grpc-js writes some errors to stderr (a port in use, for instance) in addition to returning them.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE)

// This call is here, because every process with many packets (`start`, `gateway`, `connect --port`) loads
// this file.
keepTickObject()

/** Our agent's version. Hoop's gateway does not read it. */
export const OWN_VERSION = 'runbook-agent-version'
/** Maximum number of sessions that our agent runs in parallel. Hoop's gateway does not read it. */
export const OWN_LIMIT = 'runbook-agent-sessions'
/** Maximum time in ms to end a command (`kill.grace`) and report it. Hoop's gateway does not read it. */
export const OWN_LONGEST_END = 'runbook-agent-longest-end'

/** Keeps the .proto's field names. Absent bytes and maps become empty, so a `Packet` has all members. */
const definition = loadSync(packageFiles.proto, {
  keepCase: true,
  defaults: true,
  bytes: Buffer,
  objects: true,
  arrays: true,
})

interface HealthCheckResponse {
  readonly status: string
}

export interface PreConnectResponse {
  /** `CONNECT` when a session waits for this agent, otherwise `BACKOFF`. */
  readonly status: string
  readonly message: string
}

type Done<Response> = (error: ServiceError | null, response?: Response) => void

export interface TransportClient extends Client {
  Connect(metadata: Metadata, options?: CallOptions): ClientDuplexStream<Packet, Packet>
  HealthCheck(
    request: Record<string, never>,
    options: CallOptions,
    done: Done<HealthCheckResponse>,
  ): ClientUnaryCall
  /** The request is empty, because the credential names the agent. */
  PreConnect(
    request: Record<string, never>,
    metadata: Metadata,
    done: Done<PreConnectResponse>,
  ): ClientUnaryCall
}

interface TransportConstructor {
  readonly service: ServiceDefinition
  new (address: string, credentials: ChannelCredentials, options: ChannelOptions): TransportClient
}

Object.assign((definition['protobuf.Transport'] as ServiceDefinition)['Connect'] ?? {}, {
  ...{ requestSerialize: encodePacket, requestDeserialize: decodePacket },
  ...{ responseSerialize: encodePacket, responseDeserialize: decodePacket },
})
const { Transport } = loadPackageDefinition(definition)['protobuf'] as unknown as {
  Transport: TransportConstructor
}

export const TransportClient = Transport
export const transportService = Transport.service

/** Each option has the reason why it is not the default. */
export const channelOptions = {
  // grpc-js's default is 4 MiB: a larger runbook would end the stream with all its sessions.
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  // Speeds up uploads from 189 to 500 MB/s (measured with this program). Servers ignore it.
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.enable_channelz': 0,
} as const satisfies ChannelOptions
