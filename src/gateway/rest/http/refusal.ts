import { ConnectionsRefused } from '../../batches/batch-refused.ts'
import { refusedCode } from '../../store/errors.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import { HttpError, RefusalsError } from './http-error.ts'

/** What the parts of the gateway refuse, as a request is told of it. Undefined for a bug. */
export function requestRefusal(error: Error): HttpError | undefined {
  if (error instanceof HttpError) return error
  if (error instanceof ConnectionsRefused) return new RefusalsError(error)
  const code = refusedCode(error)
  const status = error instanceof RequestRefused ? error.status : undefined
  return code === undefined ? undefined : new HttpError(code, error.message, status)
}
