import { FramedStream } from '../../dial/framed-stream.ts'
import type { PacketLine } from '../../dial/packet-line.ts'
import { EXEC_STREAM, FRAMED_PACKETS } from '../../wire/framed-packets.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from '../rest/api-error.ts'
import { upgrade } from '../rest/upgrade.ts'
import { metadataOf, type StreamRequest } from './client-session.ts'

/** Where gRPC can be tried next, nobody waits as long as for a REST interface that is the only way. */
const BEFORE_GRPC_MS = 5000

/**
 * Opens the stream of a script, on the way that its gateway has: an upgraded connection to the REST interface of
 * ours, else gRPC, whose code takes longer to load than the whole rest of the command. The answer to the upgrade says
 * which gateway it is, and nothing has been asked of it by then.
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

/** The gateway as messages name it, before a stream says which address it uses. */
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
    // Where the address of the streams is known, they do not need the REST interface.
    if (error instanceof ApiError && account.grpcUrl !== undefined && !signal.aborted) return undefined
    throw error
  }
}
