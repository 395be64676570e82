import type { IncomingHttpHeaders } from 'node:http2'

/** gRPC's status codes, as far as this program distinguishes them. */
export const status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The names of all codes, in the order of their numbers. */
const NAMES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
]

export function nameOf(code: number): string | undefined {
  return NAMES[code]
}

/** How a call has ended. */
export interface CallEnd {
  readonly code: number
  readonly details: string
  /** Undefined when the peer has sent none. */
  readonly trailers: IncomingHttpHeaders | undefined
}

export function endOf(code: number, details: string): CallEnd {
  return { code, details, trailers: undefined }
}

/** What the answer of a peer means that speaks HTTP and no gRPC, a proxy for instance. */
const MEANINGS: Readonly<Record<number, number>> = {
  400: status.internal,
  401: status.unauthenticated,
  403: status.permissionDenied,
  404: status.unimplemented,
  429: status.unavailable,
  502: status.unavailable,
  503: status.unavailable,
  504: status.unavailable,
}

export function endOfHttp(httpStatus: number): CallEnd {
  return endOf(MEANINGS[httpStatus] ?? status.unknown, `Received HTTP status code ${httpStatus}`)
}

/** Reads the trailers with which a peer ends a call. */
export function endOfTrailers(trailers: IncomingHttpHeaders, httpStatus: number | undefined): CallEnd {
  const code = valueOf(trailers, 'grpc-status')
  if (code !== undefined)
    return { code: Number(code), details: decoded(valueOf(trailers, 'grpc-message') ?? ''), trailers }
  if (httpStatus !== undefined) return { ...endOfHttp(httpStatus), trailers }
  return { code: status.unknown, details: 'No status information received', trailers }
}

/** Returns the first value of a header. */
export function valueOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

// The codes of RST_STREAM (RFC 9113, section 7).
const NO_ERROR = 0
const INTERNAL_ERROR = 2
const REFUSED_STREAM = 7
export const CANCEL = 8
const ENHANCE_YOUR_CALM = 11
const INADEQUATE_SECURITY = 12

/** A stream that was closed without trailers. */
export interface Closed {
  readonly rstCode: number
  readonly httpStatus: number | undefined
  /** Whether the whole connection has ended. */
  readonly isDropped: boolean
  /** Node's error, if there was one. */
  readonly error: NodeJS.ErrnoException | undefined
}

/** The texts are those of grpc-js: people find them on the web. */
export function endOfClosed({ rstCode, httpStatus, isDropped, error }: Closed): CallEnd {
  const text = `Received RST_STREAM with code ${rstCode}`
  switch (rstCode) {
    case NO_ERROR:
      if (isDropped) return endOf(status.unavailable, 'Connection dropped')
      if (httpStatus !== undefined && httpStatus !== 200) return endOfHttp(httpStatus)
      return endOf(status.internal, `${text} (Call ended without gRPC status)`)
    case REFUSED_STREAM:
      return endOf(status.unavailable, 'Stream refused by server')
    case CANCEL:
      if (isDropped) return endOf(status.unavailable, 'Connection dropped')
      return endOf(status.cancelled, 'Call cancelled')
    case ENHANCE_YOUR_CALM:
      return endOf(status.resourceExhausted, 'Bandwidth exhausted or memory limit exceeded')
    case INADEQUATE_SECURITY:
      return endOf(status.permissionDenied, 'Protocol not secure enough')
    case INTERNAL_ERROR:
      if (error === undefined) return endOf(status.internal, `${text} (Internal server error)`)
      if (isDropped || error.code === 'ECONNRESET' || error.code === 'ETIMEDOUT')
        return endOf(status.unavailable, error.message)
      return endOf(status.internal, `${text} triggered by internal client error: ${error.message}`)
    default:
      return endOf(status.internal, text)
  }
}
