import { AccountError } from '../../client/account/account-file.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import { exitCodes, Failure } from '../failure.ts'

const ADVICE = {
  unreachable: '',
  refused: '. Is the token still valid? runbook-agent login',
  'not-found': '',
  invalid: '',
  busy: '. Try again when something has ended',
  failed: '. The gateway could not: its log says more',
  'no-gateway': '',
} as const

const CODES = {
  unreachable: exitCodes.unreachable,
  refused: exitCodes.refused,
  'not-found': exitCodes.usage,
  invalid: exitCodes.usage,
  busy: exitCodes.unreachable,
  failed: exitCodes.unreachable,
  'no-gateway': exitCodes.unreachable,
} as const

/**
 * Turns an error of `src/client` into what a client command shows; returns others unchanged.
 * @param doing what was tried, for the beginning of the line: `cannot run ops/x.runbook.sh`
 */
export function clientFailure(error: unknown, doing: string): unknown {
  if (error instanceof AccountError) return new Failure(error.message)
  if (!(error instanceof ApiError)) return error
  return new Failure(`${doing}: ${error.message}${ADVICE[error.kind]}`, CODES[error.kind])
}
