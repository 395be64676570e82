import { readFile } from 'node:fs/promises'
import { arch, hostname, machine, platform, release, version } from 'node:os'
import { OWN_VERSION } from '../../wire/service.ts'
import type { Identity } from './identity.ts'

/** Go's names where Node's differ: users of the gateway know those. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/**
 * The metadata of `Connect` (protocol.md 1.3). `version` is empty on purpose: hoop's command line prints a loud
 * warning to its users for any version that differs from its own. Our gateway reads the version from another name.
 */
export async function introduction(identity: Identity, own: string): Promise<Record<string, string>> {
  const described = {
    [OWN_VERSION]: own,
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

/** Metadata that proves who the agent is. Calls other than the stream need only this. */
export function authorization({ token }: Identity): Record<string, string> {
  return { authorization: `Bearer ${token.reveal()}` }
}

function kernelName(): string {
  return platform() === 'linux' ? 'Linux' : platform()
}

/** Only root can read it. hoop's agent sends an empty one, too. */
async function machineId(): Promise<string> {
  return readFile('/sys/class/dmi/id/product_uuid', 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
}

/** Drops what grpc-js does not accept: it throws on line breaks and anything outside ASCII (protocol.md 0.18). */
function printable(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value.replace(/[^\x20-\x7e]/g, '?').trim()]),
  )
}
