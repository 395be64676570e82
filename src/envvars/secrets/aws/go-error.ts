import { goDialError } from '../../../basics/net/go-errors.ts'

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

/** Attempts after which the packages give up. */
const MOST_ATTEMPTS = 3

/** Errors with a type of their own in Go; the others are `api error NAME`. */
const MODELED = new Set([
  ...['DecryptionFailure', 'InternalServiceError', 'InvalidParameterException', 'InvalidRequestException'],
  'ResourceNotFoundException',
])

/** Characters of an error's text, which may come from a server. */
const SHOWN_CHARACTERS = 4096

/** A failed request in the words of Go's packages. */
export function goAwsError(error: Error, operation: string): string {
  return shownAwsText(wordsFor(error, operation))
}

/** An error's text for people. A refused signature is explained with what was signed, and the session's token in it. */
export function shownAwsText(text: string): string {
  return text
    .replaceAll(/(x-amz-security-token\W{1,3})[\w+/=%-]+/gi, '$1[REDACTED]')
    .slice(0, SHOWN_CHARACTERS)
}

/** V8 quotes the text that it could not parse: half an answer may be the secret. */
export function textOf(error: Error): string {
  return error instanceof SyntaxError ? 'the answer is not valid JSON' : error.message
}

function wordsFor(error: Error, operation: string): string {
  const { $metadata: { httpStatusCode: status, requestId = '', attempts } = {}, name } = error as AwsError
  const message = textOf(error)
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
  const { code, address, port, syscall } = error
  const isDial = syscall === 'connect' || syscall === 'getaddrinfo'
  if (!isDial) return code === 'ECONNRESET' ? 'connection reset by peer' : textOf(error)
  const { hostname = '' } = error as { readonly hostname?: string }
  return goDialError(error, { host: address ?? hostname, port: port ?? 0 })
}
