import type { ServiceDefinition } from '@grpc/grpc-js'
import { MAX_MESSAGE_BYTES, type Packet } from './packet.ts'
import { decodePacket, decodeTexts, encodePacket, encodeTexts } from './protobuf.ts'

/** Metadata with our agent's version. Hoop's gateway does not read it. */
export const OWN_VERSION = 'runbook-agent-version'
/** Metadata with the most sessions that our agent runs in parallel. Hoop's gateway does not read it. */
export const OWN_LIMIT = 'runbook-agent-sessions'

export interface PreConnectResponse {
  /** `CONNECT` when a session waits for this agent, `BACKOFF` when none does. */
  readonly status: string
  readonly message: string
}

interface HealthCheckResponse {
  readonly status: string
}

/** The paths of the service's methods. */
export const methods = {
  preConnect: '/protobuf.Transport/PreConnect',
  connect: '/protobuf.Transport/Connect',
  healthCheck: '/protobuf.Transport/HealthCheck',
} as const

const NOTHING = Buffer.alloc(0)
const STATUS = 1
const MESSAGE = 2

export function decodePreConnect(bytes: Buffer): PreConnectResponse {
  return decodeTexts(bytes, { status: STATUS, message: MESSAGE })
}

/** The request has fields, but no peer of ours sends or reads one. */
const emptyRequest = { requestSerialize: () => NOTHING, requestDeserialize: () => ({}) }
const packets = {
  requestSerialize: (packet: Packet) => encodePacket(packet),
  requestDeserialize: decodePacket,
  responseSerialize: (packet: Packet) => encodePacket(packet),
  responseDeserialize: decodePacket,
}

/** `protobuf.Transport` of proto/transport.proto, as grpc-js wants a service. */
export const transportService = {
  PreConnect: {
    path: methods.preConnect,
    ...{ requestStream: false, responseStream: false },
    ...emptyRequest,
    responseSerialize: ({ status = '', message = '' }: Partial<PreConnectResponse>) =>
      encodeTexts([
        [STATUS, status],
        [MESSAGE, message],
      ]),
    responseDeserialize: decodePreConnect,
  },
  Connect: { path: methods.connect, requestStream: true, responseStream: true, ...packets },
  HealthCheck: {
    path: methods.healthCheck,
    ...{ requestStream: false, responseStream: false },
    ...emptyRequest,
    responseSerialize: ({ status }: HealthCheckResponse) => encodeTexts([[STATUS, status]]),
    responseDeserialize: (bytes: Buffer): HealthCheckResponse => decodeTexts(bytes, { status: STATUS }),
  },
} as const satisfies ServiceDefinition

/** Options for both ends, each with the reason why it is not the default. */
export const channelOptions = {
  // grpc-js's default is 4 MiB: a larger runbook would end the stream with all its sessions.
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.enable_channelz': 0,
} as const
