import { Secret } from '../basics/secret.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import type { CredentialSearch } from './key.ts'
import type { Found, Lookup } from './lookup.ts'
import { SETTINGS } from './table.ts'

/** A credential that does not say where the gateway is. */
export interface GatewayToken {
  /** A JWT-SVID of SPIFFE, or a token of the old kind. */
  readonly kind: 'svid' | 'token'
  readonly value: Secret
  readonly source: string
  /** The gateway's address as it was given, and by which setting. */
  readonly gateway: string
  readonly gatewaySource: string
  /** The agent's name for its log; may be empty. */
  readonly name: string
  readonly plaintext: boolean
}

/** hoop's agent takes this very text, and no other, for a gateway without TLS. */
const LOCAL_GATEWAY = '127.0.0.1:8010'
/** A JWT with many claims has some thousand characters. */
const LONGEST_SVID = 64 * 1024

/** Undefined if none is set, or if it cannot be used, which is a problem. The texts are those of protocol.md 2.3. */
export function findSvid(search: CredentialSearch): GatewayToken | undefined {
  const { lookup } = search
  const svidFile = lookup.find(SETTINGS.spiffeKeyFile)
  if (svidFile === undefined) return undefined
  const gateway = lookup.find(SETTINGS.grpcUrl)
  if (gateway === undefined) {
    lookup.problems.addFrom(
      `${svidFile.place} requires HOOP_GRPCURL to be set`,
      'it is also written grpc-url',
    )
    return undefined
  }
  const value = readSvid(svidFile, lookup)
  return (
    value && {
      kind: 'svid',
      value,
      source: svidFile.place,
      gateway: gateway.value,
      gatewaySource: gateway.place,
      name: lookup.find(SETTINGS.spiffeName)?.value ?? '',
      plaintext: gateway.value === LOCAL_GATEWAY || lookup.value(SETTINGS.spiffeInsecure),
    }
  )
}

/** A token of the old kind. Without an address it is ignored: `TOKEN` may well belong to another program. */
export function findToken(search: CredentialSearch): GatewayToken | undefined {
  const token = search.lookup.find(SETTINGS.token)
  const gateway = search.lookup.find(SETTINGS.grpcUrl)
  if (token === undefined || gateway === undefined) return undefined
  if (/[^\x21-\x7e]/.test(token.value.reveal())) {
    search.lookup.problems.addFrom(token.place, 'token must be one word of ASCII characters')
    return undefined
  }
  return {
    kind: 'token',
    value: token.value,
    source: token.place,
    gateway: gateway.value,
    gatewaySource: gateway.place,
    name: '',
    plaintext: gateway.value === LOCAL_GATEWAY,
  }
}

function readSvid(found: Found<string>, lookup: Lookup): Secret | undefined {
  const path = lookup.pathIn(found)
  const file = `${found.place} "${path}"`
  try {
    const svid = decodeUtf8(readSmallFile(path, LONGEST_SVID).bytes).trim()
    if (svid === '') lookup.problems.addFrom(`${file} is empty`, 'has the SPIFFE agent written it?')
    else if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(svid))
      lookup.problems.addFrom(
        `${file} does not look like a JWT (expected three dot-separated segments)`,
        'it has to hold one JWT-SVID and nothing else',
      )
    else return new Secret(svid)
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    lookup.problems.addFrom(`failed reading ${file}`, `it ${error.message}`)
  }
  return undefined
}
