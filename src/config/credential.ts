import { findKey, warnOfPlace, type CredentialSearch, type Key } from './key.ts'
import { findSvid, findToken, type GatewayToken } from './svid.ts'
import { SETTINGS } from './table.ts'

/** How the agent identifies itself. The form of a key is not checked here. */
export type Credential = Key | GatewayToken

/**
 * A key, else a JWT-SVID, else a token of the old kind (protocol.md 2.3). A key always wins: hoop's chart names a
 * file for an SVID even where there is none. Undefined if nothing is given, which is a problem if a key is needed.
 */
export function findCredential(search: CredentialSearch, isNeeded: boolean): Credential | undefined {
  const { problems, file } = search.lookup
  const before = problems.count
  for (const find of [findKey, findSvid, findToken]) {
    const credential = find(search)
    if (credential?.kind === 'token') warnOfToken(search)
    if (credential !== undefined || problems.count > before) return credential
  }
  // A file that cannot be read may well hold the key.
  if (file.entries !== undefined && isNeeded)
    problems.addFrom('missing HOOP_KEY environment variable', 'set HOOP_KEY, or key-file')
  return undefined
}

function warnOfToken(search: CredentialSearch): void {
  const token = search.lookup.find(SETTINGS.token)
  if (token !== undefined) warnOfPlace(token, search)
}
