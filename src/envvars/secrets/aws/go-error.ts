import { goDialError } from '../../../basics/net/go-dial-error.ts'

/** What an error of the packages has, as far as it is known. */
interface AwsError extends NodeJS.ErrnoException {
  readonly $metadata?: {
    readonly httpStatusCode?: number
    readonly requestId?: string
    readonly attempts?: number
  }
  readonly address?: string
  readonly port?: number
}

/** After so many attempts the packages give up. */
const MOST_ATTEMPTS = 3

/** Errors with a type of their own in Go; the others are `api error NAME`. */
const MODELED = new Set([
  ...['DecryptionFailure', 'InternalServiceError', 'InvalidParameterException', 'InvalidRequestException'],
  'ResourceNotFoundException',
])

/** A failed request in the words of Go's packages. Its text may come from a server. */
export function goAwsError(error: Error, operation: string): string {
  const {
    $metadata: { httpStatusCode: status, requestId = '', attempts } = {},
    name,
    message,
  } = error as AwsError
  if (name === 'CredentialsProviderError')
    return `operation error ${operation}, get identity: get credentials: ${message}`
  if (message === 'Region is missing')
    return `operation error ${operation}, failed to resolve service endpoint, Missing Region: set AWS_REGION`
  const gaveUp = attempts === MOST_ATTEMPTS ? `exceeded maximum number of attempts, ${attempts}, ` : ''
  const response = `${gaveUp}https response error StatusCode: ${status ?? 0}, RequestID: ${requestId}, `
  if (status === undefined)
    return `operation error ${operation}, ${response}request send failed, ${unsent(error)}`
  const kind = MODELED.has(name) ? name : `api error ${name}`
  return `operation error ${operation}, ${response}${kind}: ${message}`
}

function unsent(error: AwsError): string {
  const { code, address, port, syscall, message } = error
  const isDial = syscall === 'connect' || syscall === 'getaddrinfo'
  if (!isDial) return code === 'ECONNRESET' ? 'connection reset by peer' : message
  const { hostname = '' } = error as { readonly hostname?: string }
  return goDialError(error, { host: address ?? hostname, port: port ?? 0 })
}
