import { X509Certificate } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { SecureContextOptions } from 'node:tls'
import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { type Logger, RepeatedWarnings } from '../../basics/logger.ts'
import type { Address, CallerAddress } from '../../basics/net/address.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { decodeAgentPacket } from '../../wire/messages/from-agent.ts'
import { encodeGatewayMessage } from '../../wire/messages/from-gateway.ts'
import type { Packet } from '../../wire/packet.ts'
import {
  channelOptions,
  OWN_LIMIT,
  OWN_LONGEST_END,
  OWN_VERSION,
  transportService,
} from '../../wire/service.ts'
import { decodeEpochs, MET_EPOCHS } from '../../wire/epochs.ts'
import { tooManyFailures } from '../people/identities/sign-in-attempts.ts'
import type { ServerCertificate } from '../tls/certificates.ts'
import type { AgentSettings } from '../settings/settings.ts'
import { AgentStream, type GatewayOutbound } from './agent-stream.ts'
import type { Agents } from './agents.ts'
import type { ClientServer } from './client-call.ts'
import { PacketCall } from './packet-call.ts'
import type { Arrival } from './presence.ts'
import type { StateEpoch } from './state-epoch.ts'
import { HistoryError } from '../store/errors.ts'

/**
 * grpc-go has the same times. If a peer does not answer a ping within 20 s, its stream ends. Then the agent
 * can connect again under its name.
 */
const serverOptions = {
  ...channelOptions,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
} as const

/**
 * Declares all methods as streams. Thus `HealthCheck` and `PreConnect` answer without reading the request.
 * For other methods, grpc-js collects up to 17 MiB from any caller who sends slowly.
 */
const service: ServiceDefinition = Object.fromEntries(
  Object.entries(transportService).map(([name, method]) => [name, { ...method, requestStream: true }]),
)

/** When the gateway stops, streams have this time in ms to end without an error. */
const CLOSE_MS = 1000
/**
 * Maximum number of packets that the gateway reads from an agent in advance, before the sessions read them.
 */
const AGENT_PACKETS_AHEAD = 16
/** If an agent has more unsent bytes than this, senders wait. */
const AGENT_UNSENT_BYTES = 1024 * 1024

interface TransportServices {
  readonly agents: Agents
  readonly clients: ClientServer
  readonly epoch: StateEpoch
  readonly callerAddress: CallerAddress
  readonly tls: ServerCertificate | undefined
  readonly log: Logger
}

/** `protobuf.Transport` for agents and clients. */
export class Transport {
  readonly #server = new Server(serverOptions)
  readonly #agentCalls = new Set<PacketCall>()
  readonly #agents: Agents
  readonly #clients: ClientServer
  readonly #epoch: StateEpoch
  readonly #log: Logger
  readonly #warnings: RepeatedWarnings
  readonly #tls: ServerCertificate | undefined

  constructor({ agents, clients, epoch, log, callerAddress, tls }: TransportServices) {
    this.#tls = tls
    this.#epoch = epoch
    this.#agents = agents
    this.#clients = clients
    this.#log = log
    this.#warnings = new RepeatedWarnings(log)
    this.#server.addService(service, {
      Connect: (stream: ServerDuplexStream<Packet, Packet>) =>
        this.#connect(new PacketCall(stream, callerAddress)),
      HealthCheck: (_: unknown, done: sendUnaryData<{ status: string }>) => done(null, { status: 'OK' }),
      PreConnect: (_: unknown, done: sendUnaryData<never>) =>
        done({ code: status.UNIMPLEMENTED, details: 'this gateway serves agents with mode=standard only' }),
    })
  }

  /** @returns the port that the server uses; for port 0, the system chooses one */
  listen({ host, port }: Address): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentialsOf(this.#tls), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
  }

  async close(): Promise<void> {
    this.#clients.close()
    for (const call of this.#agentCalls) call.end()
    const force = setTimeout(() => this.#server.forceShutdown(), CLOSE_MS)
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()))
    clearTimeout(force)
  }

  /** Checks the origin first (protocol.md 1.4). */
  #connect(call: PacketCall): void {
    switch (call.header('origin')) {
      case 'agent':
        return this.#connectAgent(call)
      case 'client':
        return void this.#clients.serve(call)
      case undefined:
        return call.fail('invalid-request', hoopWords.missingOrigin)
      default:
        return call.fail('unauthenticated', hoopWords.invalidAuthentication)
    }
  }

  #connectAgent(call: PacketCall): void {
    const isDemanded = this.#tls?.agentCa !== undefined
    const certificate = isDemanded ? certificateOf(call.certificate) : undefined
    // The certificate is checked before the key: callers without a certificate cannot guess keys.
    if (isDemanded && certificate === undefined) return this.#refuseCertificate(call, 'missing')
    const authentication = this.#agents.authenticate(call.header('authorization'), call.ip)
    if (authentication.kind === 'held-up')
      return call.fail('too-many-failed-sign-ins', tooManyFailures(authentication.seconds))
    if (authentication.kind === 'unknown') {
      this.#warnings.warn({ from: call.ip, claimed: authentication.claimed }, 'agent refused: unknown key')
      return call.fail('unauthenticated', hoopWords.invalidAuthentication)
    }
    if (authentication.kind === 'name-differs') return call.fail('unauthenticated', hoopWords.otherAgentName)
    if (certificate !== undefined && !isFor(certificate, authentication.agent.name))
      return this.#refuseCertificate(call, 'other-name')
    this.#admit(call, authentication.agent)
  }

  #admit(call: PacketCall, settings: AgentSettings): void {
    const connected = this.#connected(call, settings.name)
    if (connected === undefined) return
    const link = {
      send: (message: GatewayOutbound) => call.send(encodeGatewayMessage(message)),
      room: () => call.room(AGENT_UNSENT_BYTES),
      refuse: () => call.fail('unauthenticated', hoopWords.invalidAuthentication),
    }
    const agent = new AgentStream(settings, link, numberOf(call.header(OWN_LONGEST_END)))
    if (!this.#agents.connect(agent, arrivalOf(call)))
      return call.fail('agent-already-connected', hoopWords.agentAlreadyConnected)
    call.widen()
    void this.#serve(call, agent, connected)
  }

  /**
   * Returns the first message to the agent. Returns undefined if the call has failed: an agent that has met a
   * newer gateway of this state gets no sessions of this one.
   */
  #connected(call: PacketCall, agent: string): GatewayOutbound | undefined {
    try {
      if (this.#epoch.isSuperseded(decodeEpochs(call.header(MET_EPOCHS) ?? ''))) {
        this.#warnings.warn({ agent, from: call.ip }, `agent refused: ${SUPERSEDED}`)
        call.fail('gateway-superseded', SUPERSEDED)
        return undefined
      }
      const epoch = this.#epoch.current
      return { kind: 'connected', ...(epoch !== undefined && { epoch }) }
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
      this.#warnings.warn(
        { agent, error: error.message },
        'agent refused: the epochs of this state cannot be used',
      )
      call.fail(
        error.noRoom === undefined ? 'history-failed' : 'history-no-room',
        'the history cannot be used',
      )
      return undefined
    }
  }

  #refuseCertificate(call: PacketCall, fault: CertificateFault): void {
    this.#warnings.warn({ from: call.ip, fault }, 'agent refused because of its certificate')
    call.fail('agent-certificate-refused', CERTIFICATE_WORDS[fault])
  }

  /** Never rejects. */
  async #serve(call: PacketCall, agent: AgentStream, connected: GatewayOutbound): Promise<void> {
    this.#agentCalls.add(call)
    this.#log.info({ agent: agent.name, hostname: call.header('hostname') }, 'agent connected')
    agent.send(connected)
    agent.send({ kind: 'feature-flags', flags: new Map() })
    const { stopsAt } = this.#agents
    if (stopsAt !== undefined) agent.send({ kind: 'gateway-draining', stopsAt })
    for await (const packet of call.packets(AGENT_PACKETS_AHEAD)) {
      const message = decodeAgentPacket(packet)
      if (message.kind === 'draining') this.#agents.drains(agent, 'drained')
      else await agent.receive(message)
    }
    // A lost connection ends the readable side, too, a moment before grpc-js emits `cancelled`.
    await setImmediate()
    const departure = call.isOver ? 'disconnected' : 'ended'
    const reason = call.isOver ? hoopWords.agentHasDisconnected : hoopWords.agentHasEnded
    this.#agentCalls.delete(call)
    this.#agents.disconnect(agent, departure, reason)
    this.#log.info({ agent: agent.name, reason }, 'agent disconnected')
    call.end()
  }
}

/**
 * Users' clients connect to the same port and have no certificate. So TLS only asks for a certificate, and
 * `#connectAgent` requires one from agents.
 */
const ASKED = { requestCert: true, rejectUnauthorized: false } as const

function contextOf({ tls, agentCa }: ServerCertificate): SecureContextOptions {
  return agentCa === undefined ? tls : { ...tls, ca: agentCa }
}

/** grpc-js replaces a certificate only by a protected method. This subclass calls the method at a renewal. */
class RenewedCredentials extends ServerCredentials {
  constructor(certificate: ServerCertificate) {
    super(certificate.agentCa === undefined ? {} : ASKED, contextOf(certificate))
    certificate.follow(() => this.updateSecureContextOptions(contextOf(certificate)))
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}

function credentialsOf(tls: ServerCertificate | undefined): ServerCredentials {
  return tls === undefined ? ServerCredentials.createInsecure() : new RenewedCredentials(tls)
}

/** hoop's headers about an agent's program and machine (protocol.md 1.3). */
const FACTS = ['hostname', 'machine-id', 'kernel-version', 'version', 'go-version', 'compiler', 'platform']
/** Maximum length of a fact in characters. Facts stay in memory while the gateway runs. */
const MAX_FACT_CHARACTERS = 256

function arrivalOf(call: PacketCall): Arrival {
  const fact = (name: string) => (call.header(name) ?? '').slice(0, MAX_FACT_CHARACTERS)
  const facts = Object.fromEntries(FACTS.map((name) => [name, fact(name)]))
  return {
    facts: { ...facts, version: fact('version') || fact(OWN_VERSION) },
    address: call.ip,
    sessionLimit: numberOf(call.header(OWN_LIMIT)),
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

type CertificateFault = 'missing' | 'other-name'

/** @param raw certificate in DER, signed by an authority of the settings */
function certificateOf(raw: Buffer | undefined): X509Certificate | undefined {
  if (raw === undefined) return undefined
  const certificate = new X509Certificate(raw)
  // TLS checks the certificate only at the first handshake. A resumed connection may have a certificate that
  // has expired since.
  return Date.parse(certificate.validTo) > Date.now() ? certificate : undefined
}

/**
 * Tells whether the certificate belongs to the agent: its only common name or one of its DNS names must be
 * the agent's name. Compares exactly, because ALPHA and alpha are two agents. `checkHost` ignores case and
 * allows wildcards.
 */
export function isFor(certificate: X509Certificate, agent: string): boolean {
  const { CN: commonName } = certificate.toLegacyObject().subject as { readonly CN?: string | string[] }
  // Splitting at commas is safe: Node writes a comma inside a name as \u002c.
  const names = certificate.subjectAltName?.split(', ') ?? []
  return commonName === agent || names.includes(`DNS:${agent}`)
}

const SUPERSEDED =
  'this gateway runs on an older copy of its state: the agent has served a newer gateway with the same state. Stop this gateway. If it is the valid one, stop the other gateway, and run with this one stopped: runbook-agent history take-over --config gateway.yaml'

const CERTIFICATE_WORDS: Readonly<Record<CertificateFault, string>> = {
  missing:
    'this gateway requires a certificate from its agents: the agent sent no certificate, the certificate has expired, or its authority is not in listen.tls.agent-ca; check tls.cert and tls.key of the agent',
  'other-name':
    "the certificate in tls.cert belongs to another agent: its common name or a DNS name must be exactly the agent's name",
}
