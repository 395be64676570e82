import { MAX_MESSAGE_BYTES } from '../../wire/packet.ts'
import type { ExecutionRequest } from '../executions.ts'
import { HttpError } from './http-error.ts'

/** For lengths, type descriptions and the fields that have a bound of their own. */
const OVERHEAD_BYTES = 256 * 1024

/** A packet above the limit would end the agent's stream, and with it everybody's sessions. @throws HttpError 422 */
export function checkPacketSize(
  request: Pick<ExecutionRequest, 'connection' | 'envVars' | 'clientArgs' | 'script'>,
): void {
  const variables = mapBytes(request.envVars) + mapBytes(request.connection.secrets)
  // Arguments travel twice, in the connection's parameters and beside them.
  const open =
    variables + 2 * request.clientArgs.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 8, 0)
  const largest = Math.max(open, request.script.length) + OVERHEAD_BYTES
  if (largest <= MAX_MESSAGE_BYTES) return
  throw new HttpError(
    422,
    'script, env_vars or client_args are too large: what goes to the agent in one packet may have 17 MiB',
  )
}

function mapBytes(map: ReadonlyMap<string, string>): number {
  return [...map].reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value) + 16,
    0,
  )
}
