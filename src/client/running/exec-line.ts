import { FramedStream } from '../../dial/framed-stream.ts'
import type { PacketLine } from '../../dial/packet-line.ts'
import { EXEC_STREAM, FRAMED_PACKETS } from '../../wire/framed-packets.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import { upgrade } from '../rest/upgrade.ts'
import { metadataOf, type StreamRequest } from './client-session.ts'

/** Maximum wait for the answer to the upgrade, if gRPC can be tried after it. */
const BEFORE_GRPC_MS = 5000

/**
 * Opens a script's stream. First asks the gateway to upgrade a REST connection, which the embedded gateway
 * does. Other gateways need gRPC. The code for gRPC takes longer to load than the rest of the command. The
 * answer to the upgrade shows which gateway it is, before the gateway has received the script.
 * @throws ApiError, SetUpError
 */
export async function openExecLine(
  account: Account,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<PacketLine> {
  const framed = await framedLine(account, request, signal)
  if (framed !== undefined) return framed
  const { grpcAccess, openGrpcLine } = await import('./grpc-line.ts')
  return openGrpcLine(await grpcAccess(account), request)
}

/** Returns the address of the REST interface. Messages show this address until a stream is open. */
export function restAddress({ rest: { host, port } }: Account): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function framedLine(
  account: Account,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<PacketLine | undefined> {
  const question = {
    path: EXEC_STREAM,
    protocol: FRAMED_PACKETS,
    headers: metadataOf(request),
    ...(account.grpcUrl !== undefined && { answerMs: BEFORE_GRPC_MS }),
  }
  try {
    const socket = await upgrade(account, question, signal)
    return socket && new FramedStream(socket, restAddress(account))
  } catch (error) {
    // Then gRPC is tried, because gRPC at the configured address does not need the REST interface.
    if (error instanceof ApiError && account.grpcUrl !== undefined && !signal.aborted) return undefined
    throw error
  }
}
