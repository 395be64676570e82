import type { Address } from '../../basics/net/address.ts'
import { goDialError } from '../../basics/net/go-errors.ts'
import { RefusedError } from '../refused.ts'
import dns from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'

/** The error for a server that does not answer, or for incomplete variables (protocol.md 5.4). */
function unreachable(message: string): RefusedError {
  return new RefusedError(message, 'LivenessError')
}

const DIAL_MS = 5000
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-full']
const ON_OFF = ['on', 'off', 'true', 'false', '1', '0']

type Lookup = (name: string) => string | undefined
type Locate = (lookup: Lookup) => Address | Promise<Address>

/** The connection types whose server is tested before the session is accepted, as in hoop's agent. */
const servers: Readonly<Record<string, Locate>> = {
  postgres: (lookup) => {
    requireOneOf(lookup, 'SSLMODE', SSL_MODES)
    return database('postgres', 5432)(lookup)
  },
  mysql: (lookup) => {
    requireOneOf(lookup, 'RESULT_METADATA', ON_OFF)
    requireOneOf(lookup, 'SSLMODE', SSL_MODES)
    return database('mysql', 3306)(lookup)
  },
  mssql: database('mssql', 1433),
  mongodb: (lookup) => {
    const uri = lookup('CONNECTION_STRING') ?? ''
    return uri === '' ? database('mongodb', 27017)(lookup) : mongoUri(uri)
  },
  tcp: (lookup) => {
    const host = lookup('HOST') ?? ''
    const port = Number(lookup('PORT') ?? '')
    if (host === '' || !validPort(port))
      throw unreachable('missing required environment for connection [HOST, PORT]')
    return { host, port }
  },
}

/**
 * Connects to the server of a database connection, and disconnects.
 * @returns its address
 * @throws RefusedError if this fails; the session is closed with the text of the error
 */
export async function checkServer(connectionType: string, lookup: Lookup): Promise<Address | undefined> {
  const locate = Object.hasOwn(servers, connectionType) ? servers[connectionType] : undefined
  if (locate === undefined) return undefined
  const address = await locate(lookup)
  await dial(address)
  return address
}

function database(type: string, defaultPort: number): Locate {
  return (lookup) => {
    const host = lookup('HOST')
    const missing = [
      ...(host ? [] : ['HOST']),
      ...(lookup('USER') ? [] : ['USER']),
      ...(lookup('PASS') === undefined ? ['PASS'] : []),
    ]
    if (host === undefined || missing.length > 0)
      throw unreachable(
        `missing required secrets for ${type} connection [${missing.join(', ')}]${missing.includes('PASS') ? '; PASS may be empty if the server needs no password' : ''}`,
      )
    const given = lookup('PORT') ?? ''
    const port = given === '' ? defaultPort : Number(given)
    if (!validPort(port)) throw unreachable(`PORT of the ${type} connection is not a port number`)
    return { host, port }
  }
}

function requireOneOf(lookup: Lookup, name: string, accepted: readonly string[]): void {
  const value = lookup(name)
  if (value === undefined || value === '' || accepted.includes(value)) return
  throw unreachable(
    `wrong option (${JSON.stringify(value)}) for ${name}, accept only: [${accepted.join(' ')}]`,
  )
}

/** Returns the first host of `mongodb://user:pass@a:1,b:2/db`, or of the DNS service for `mongodb+srv://`. */
function mongoUri(uri: string): Address | Promise<Address> {
  // The host begins after the last @. The text before may be a password, which must not get into an error.
  const [, isSrv, authority = ''] = /^mongodb(\+srv)?:\/\/([^/?]+)/.exec(uri) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d+))?(?:,|$)/.exec(hosts) ?? []
  // If another @ follows the authority, the password contains a slash, and the apparent host is a part of it.
  const ambiguous = uri.lastIndexOf('@') > uri.indexOf(authority) + authority.length
  if (host === undefined || ambiguous) throw unreachable(UNPARSABLE_URI)
  if (isSrv === undefined) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? 27017) }
  const service = /[?&]srvServiceName=([\w-]+)/.exec(uri)?.[1] ?? 'mongodb'
  return firstOfService(`_${service}._tcp.${host}`)
}

const UNPARSABLE_URI = 'failed parsing mongodb connection string'

/**
 * Returns the first server of a service. hoop's agent fails in the same way: its MongoDB library looks up the
 * name while it parses the URI.
 * @throws RefusedError
 */
async function firstOfService(name: string): Promise<Address> {
  using bounded = boundedResolver()
  try {
    const found = await bounded.resolver.resolveSrv(name)
    const [first] = found.sort((one, other) => one.priority - other.priority)
    if (first !== undefined) return { host: first.name, port: first.port }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw unreachable(`${UNPARSABLE_URI}: DNS has no SRV record ${name} (${String(code)})`)
  }
  throw unreachable(`${UNPARSABLE_URI}: DNS has no SRV record ${name}`)
}

/**
 * Makes a resolver that cancels look-ups after DIAL_MS. The time limit of c-ares is too long: c-ares
 * multiplies it by the numbers of tries and servers.
 */
function boundedResolver(): Disposable & { readonly resolver: Resolver } {
  const resolver = new Resolver()
  resolver.setServers(dns.getServers())
  const late = setTimeout(() => resolver.cancel(), DIAL_MS)
  return { resolver, [Symbol.dispose]: () => clearTimeout(late) }
}

function validPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65536
}

async function dial({ host, port }: Address): Promise<void> {
  const socket = connect({ host, port, timeout: DIAL_MS })
  try {
    await connected(socket)
  } catch (error) {
    const reason = goDialError(error as NodeJS.ErrnoException, { host, port })
    throw unreachable(`failed connecting to remote host=${host}, port=${port}, reason=${reason}`)
  } finally {
    socket.destroy()
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
    socket.once('timeout', () => reject(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' })))
  })
}
