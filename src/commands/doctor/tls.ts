import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { Identity } from '../../agent/connection/identity.ts'
import { isLoopback } from '../../basics/net/address.ts'
import { explainTls, secureContext, type TlsOptions } from '../../dial/tls.ts'
import { systemAuthorities } from '../../basics/net/authorities.ts'
import { patience } from '../../basics/abort.ts'
import { broken, type Finding, ok, warning } from '../examination.ts'
import { openWay, type Way } from './way.ts'

const HANDSHAKE_MS = 5000
/** Doctor warns this early, which leaves time to renew the certificate. */
const SOON_DAYS = 14

/** Examines even a certificate that the agent would refuse. The check sends only the handshake. */
export async function checkTls(way: Way, signal: AbortSignal): Promise<Finding<Way>> {
  const { identity } = way
  if (identity.tls === undefined) return { ...plaintext(identity.host), fact: way }
  // This time is shorter than the check's own deadline, so that the finding can name the missing answer.
  const wait = patience(HANDSHAKE_MS, signal)
  let socket: Socket | undefined
  try {
    socket = await openWay(way, wait)
    const secured = await shakeHands(socket, way, identity.tls)
    const finding = judge(secured, way, identity.tls)
    return { ...finding, fact: finding.level === 'broken' ? undefined : way }
  } catch (error) {
    return failure(error as NodeJS.ErrnoException, way, identity.tls, wait.aborted)
  } finally {
    socket?.destroy()
  }
}

function plaintext(host: string): Finding {
  if (isLoopback(host)) return ok('TLS is not used, and is not needed on this machine')
  return warning(
    'TLS is not used: others on the network can read the key and all output of commands',
    'Use a key with grpcs://, and remove allow-plaintext',
  )
}

async function shakeHands(
  socket: Socket,
  { identity, ownAuthorities }: Way,
  options: TlsOptions,
): Promise<TLSSocket> {
  const name = options.serverName ?? identity.host
  // With tls.skip-verify the agent reads no authorities. This check reads them, to show problems that the
  // setting hides.
  const authorities = ownAuthorities ?? systemAuthorities(process.env)
  const tls = connect({
    socket,
    secureContext: secureContext({ ...options, authorities }),
    host: name,
    ...(isIP(name) === 0 && { servername: name }),
    // Node would stop at the first problem.
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  })
  await Promise.race([once(tls, 'secureConnect'), closed(tls)])
  tls.on('error', () => undefined)
  return tls
}

async function closed(tls: TLSSocket): Promise<never> {
  await once(tls, 'close')
  throw Object.assign(new Error('closed'), { code: 'ECONNRESET' })
}

function judge(tls: TLSSocket, { identity, ownAuthorities }: Way, options: TlsOptions): Finding {
  const leaf = tls.getPeerCertificate(true)
  const chain = chainOf(leaf)
  const days = daysLeft(chain)
  const found = `${tls.getProtocol() ?? 'TLS'}, ${certificateName(leaf)}, by ${issuerOf(leaf)}, ${age(days)}, ${against(options, ownAuthorities)}`
  const problems = problemsOf(tls, leaf, identity, options)
  if (options.skipVerify === true) return unchecked(found, problems)
  if (problems.length > 0) return broken(found, problems.join('\n'))
  if (days < SOON_DAYS) return warning(found, 'The gateway needs a new certificate soon')
  return ok(found)
}

function problemsOf(
  tls: TLSSocket,
  leaf: DetailedPeerCertificate,
  { address, host }: Identity,
  options: TlsOptions,
): string[] {
  const codes = [
    refusalOf(tls),
    ...(Date.parse(leaf.valid_to) < Date.now() ? ['CERT_HAS_EXPIRED'] : []),
    ...(Date.parse(leaf.valid_from) > Date.now() ? ['CERT_NOT_YET_VALID'] : []),
  ]
  const errors: NodeJS.ErrnoException[] = codes
    .filter((code) => code !== undefined && code !== 'ERR_TLS_CERT_ALTNAME_INVALID')
    .map((code) => Object.assign(new Error(code), { code }))
  const name = checkServerIdentity(options.serverName ?? host, leaf)
  if (name !== undefined) errors.push(name)
  return [...new Set(errors.map((error) => explainTls(error, address, options) ?? error.message))]
}

/** Node's types declare an Error, but the refusal is a string. */
function refusalOf({ authorizationError }: TLSSocket): string | undefined {
  const refusal: unknown = authorizationError
  if (typeof refusal === 'string') return refusal
  return refusal instanceof Error ? ((refusal as NodeJS.ErrnoException).code ?? refusal.message) : undefined
}

function unchecked(found: string, problems: readonly string[]): Finding {
  const advice =
    problems.length === 0
      ? 'Remove tls.skip-verify: the certificate is in order'
      : `Others on the network can impersonate the gateway (tls.skip-verify). The setting hides these faults:\n${problems.join('\n')}`
  return warning(found, advice)
}

function age(days: number): string {
  return days < 0 ? `expired ${-days} days ago` : `${days} days left`
}

function against({ serverName, skipVerify }: TlsOptions, ownAuthorities: Way['ownAuthorities']): string {
  if (skipVerify === true) return 'not checked (tls.skip-verify)'
  const name = serverName === undefined ? '' : ` and the name ${serverName} (tls.server-name)`
  return `checked against ${ownAuthorities === undefined ? "the system's authorities" : 'tls.ca'}${name}`
}

function failure(
  error: NodeJS.ErrnoException,
  { identity }: Way,
  options: TlsOptions,
  waited: boolean,
): Finding<never> {
  const { address } = identity
  if (waited)
    return broken(
      `${address} accepts the connection, but does not answer in the TLS handshake within ${HANDSHAKE_MS / 1000} s`,
      "Check that this is the gateway's TLS port. For a gateway without TLS, the key begins with grpc://",
    )
  return broken(
    `no TLS with ${address}: ${error.code ?? error.message}`,
    explainTls(error, address, options) ?? "Check that this is the gateway's TLS port",
  )
}

const DAY_MS = 86_400_000

/** @returns common name and organization; without both, the names for which the certificate is valid */
function certificateName({ subject, subjectaltname = '' }: DetailedPeerCertificate): string {
  return distinguished(subject) || subjectaltname || 'nobody'
}

function issuerOf({ issuer }: DetailedPeerCertificate): string {
  return distinguished(issuer) || 'nobody'
}

/** Corrects Node's type: the last certificate of an incomplete chain has no issuer. */
type Linked = Omit<DetailedPeerCertificate, 'issuerCertificate'> & { readonly issuerCertificate?: Linked }

/** @returns the certificates without the authority at the end of the chain */
function chainOf(leaf: Linked): Linked[] {
  const chain: Linked[] = []
  for (let one: Linked | undefined = leaf; one !== undefined && !chain.includes(one);) {
    const next: Linked | undefined = one.issuerCertificate
    // An authority and a self-signed certificate are their own issuers.
    const isOwnIssuer: boolean = next?.fingerprint256 === one.fingerprint256
    if (!isOwnIssuer || chain.length === 0) chain.push(one)
    one = isOwnIssuer ? undefined : next
  }
  return chain
}

/** @returns the days until the first certificate expires; a negative number if a certificate has expired */
function daysLeft(chain: readonly Linked[]): number {
  return Math.floor(Math.min(...chain.map(({ valid_to }) => Date.parse(valid_to) - Date.now())) / DAY_MS)
}

function distinguished(name: DetailedPeerCertificate['subject'] | undefined): string {
  const { CN, O } = name ?? {}
  return [CN, O].filter((part) => part !== undefined && part.length > 0).join(', ')
}
