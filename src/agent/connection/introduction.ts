import { readFile } from 'node:fs/promises'
import { arch, hostname, machine, platform, release, version } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Channel } from '../../dial/channel.ts'
import { encodeEpochs, type Epoch, MET_EPOCHS } from '../../wire/epochs.ts'
import { OWN_LIMIT, OWN_LONGEST_END, OWN_VERSION } from '../../wire/service.ts'
import type { Identity } from './identity.ts'
import type { Timing } from './timing.ts'

/** Go's names of architectures that Node names differently. Users of the gateway know Go's names. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** What the agent tells the embedded gateway about itself. */
interface Introduced {
  readonly version: string
  /** Maximum number of sessions that the agent runs at the same time. */
  readonly sessions: number
  /** Maximum time from the gateway's close of a running session to the agent's report of its end. */
  readonly longestEndMs: number
  /** The epochs of gateways that this agent has met. */
  readonly met: readonly Epoch[]
}

/**
 * Returns the metadata of `Connect` (protocol.md 1.3). `version` is empty: if this value differs from the
 * version of hoop's command line, the command line prints a loud warning. The embedded gateway reads the
 * agent's version from `OWN_VERSION`.
 */
export async function introduction(identity: Identity, own: Introduced): Promise<Record<string, string>> {
  const described = {
    [OWN_VERSION]: own.version,
    [OWN_LIMIT]: String(own.sessions),
    [OWN_LONGEST_END]: String(own.longestEndMs),
    ...(own.met.length > 0 && { [MET_EPOCHS]: encodeEpochs(own.met) }),
    version: '',
    'go-version': '',
    compiler: 'node',
    platform: `${platform()}/${GO_ARCH[arch()] ?? arch()}`,
    hostname: hostname(),
    'machine-id': await machineId(),
    'kernel-version': `${kernelName()} ${hostname()} ${release()} ${version()} ${machine()}`,
  }
  return { origin: 'agent', ...authorization(identity), ...printable(described) }
}

/** Returns the metadata that every call needs. Only the stream needs more. */
function authorization({ token }: Identity): Record<string, string> {
  return { authorization: `Bearer ${token.reveal()}` }
}

function kernelName(): string {
  return platform() === 'linux' ? 'Linux' : platform()
}

/** Only root can read the id. For other users it is empty, as in hoop's agent. */
async function machineId(): Promise<string> {
  return readFile('/sys/class/dmi/id/product_uuid', 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
}

/** grpc-js throws on line breaks and characters outside ASCII (protocol.md 0.18). */
function printable(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value.replace(/[^\x20-\x7e]/g, '?').trim()]),
  )
}

/**
 * Asks every few seconds, on the same channel, whether a session waits for this agent (`mode=embedded`,
 * protocol.md 2.5). Yields the gateway's reason after each negative answer. The reason is often empty.
 * @throws ConnectError if the gateway cannot be asked
 */
export async function* unwanted(
  channel: Channel,
  identity: Identity,
  { pollEveryMs, healthDeadlineMs }: Timing,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  while (!signal.aborted) {
    const from = performance.now()
    const { status, message } = await channel.preConnect(authorization(identity), healthDeadlineMs)
    if (status === 'CONNECT') return
    yield status === 'BACKOFF' ? message : `unknown answer from the gateway: ${status}`
    const restMs = Math.max(0, pollEveryMs - (performance.now() - from))
    await delay(restMs, undefined, { signal }).catch(() => undefined)
  }
}
