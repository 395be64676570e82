import type { Identity } from '../../agent/connection/identity.ts'
import type { AgentConfiguration } from '../../config.ts'
import { Failure } from '../failure.ts'
import { readIdentity } from '../start/settings.ts'
import type { Finding } from './finding.ts'
import { broken, ok } from './finding.ts'
import { routeOf, type Route } from './gateway/way.ts'

/** What hoop's gateway makes: 32 random bytes behind a prefix. Others work as well. */
const USUAL_SECRET = /^xagt-[\w-]{43}$/

/** The form of the credential, and where it leads. The fact is who the agent is and how it would get there. */
export function checkKey(settings: AgentConfiguration): Finding<Route> {
  try {
    const identity = readIdentity(settings)
    return { ...judge(settings, identity), fact: routeOf(identity, settings) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return broken('cannot be used', error.message)
  }
}

function judge({ key }: AgentConfiguration, identity: Identity): Finding {
  const way = `to ${identity.address}, ${identity.tls === undefined ? 'without TLS' : 'with TLS'}, from ${key.source}`
  if (key.kind === 'token') return ok(`token of the old kind ${way}`)
  if (key.kind === 'svid') return svid(identity, way)
  const mode = identity.embedded ? 'embedded' : 'standard'
  const secret = secretOf(identity)
  const form =
    secret === undefined || USUAL_SECRET.test(secret) ? '' : ', its secret is not in the form that hoop makes'
  return ok(`key of "${identity.name}" (${mode}) ${way}${form}`)
}

/** Undefined for a key of the old form, which is secret as a whole. */
function secretOf({ token }: Identity): string | undefined {
  const { password } = new URL(token.reveal())
  return password === '' ? undefined : password
}

function svid({ token }: Identity, way: string): Finding {
  const leftMs = remaining(token.reveal())
  if (leftMs === undefined) return ok(`JWT-SVID without an end ${way}`)
  const minutes = Math.floor(Math.abs(leftMs) / 60_000)
  if (leftMs > 0) return ok(`JWT-SVID for ${minutes} min more ${way}`)
  return broken(
    `JWT-SVID that ended ${minutes} min ago ${way}`,
    'It is read anew before each attempt: does the SPIFFE agent renew the file? Is the clock right?',
  )
}

/** Milliseconds until its `exp`; undefined when it has none. */
function remaining(jwt: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    const end = typeof claims === 'object' && claims !== null && 'exp' in claims ? Number(claims.exp) : NaN
    return Number.isFinite(end) ? end * 1000 - Date.now() : undefined
  } catch {
    return undefined
  }
}
