import { isLoopback } from '../../basics/net/address.ts'
import { hostOf, serverAddress } from '../../dial/address.ts'

export interface RestAddress {
  readonly host: string
  readonly port: number
  readonly isSecure: boolean
  /** Empty, or `/base`: some gateways are below a path. */
  readonly base: string
  /** The address without a slash at the end. */
  readonly url: string
}

export interface StreamAddress {
  /** `host:port` */
  readonly address: string
  readonly isSecure: boolean
}

/** `https://gateway.example`, `http://127.0.0.1:8009`. Undefined for other texts, and when it contains a password. */
export function parseRestAddress(text: string): RestAddress | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  const isSecure = url.protocol === 'https:'
  // Users copy addresses with `/api` at the end from a browser or from the documentation.
  const base = url.pathname.replace(/\/+$/, '').replace(/\/api$/, '')
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    isSecure,
    base,
    url: `${url.origin}${base}`,
  }
}

/** `grpcs://host:port`, `grpc://host:port`, or `host:port`: TLS except on this machine, as in hoop's client. */
export function parseStreamAddress(text: string): StreamAddress | undefined {
  const [, scheme] = /^([a-z]+):\/\//i.exec(text) ?? []
  const address = text.includes('@') ? undefined : serverAddress(text)
  if (address === undefined) return undefined
  switch (scheme?.toLowerCase()) {
    case 'grpcs':
    case 'https':
      return { address, isSecure: true }
    case 'grpc':
    case 'http':
      return { address, isSecure: false }
    case undefined:
      return { address, isSecure: !isLoopback(hostOf(address)) }
    default:
      return undefined
  }
}
