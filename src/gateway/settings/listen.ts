import { resolve } from 'node:path'
import { type Address, isLoopback } from '../../basics/net/address.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import { readPair, type CertificateFiles } from '../tls/certificates.ts'
import type { SettingsShape } from './schema.ts'
import type { GatewaySettings } from './settings.ts'

export function buildListen(
  {
    http,
    grpc,
    tls,
    metrics,
    'public-url': publicUrl,
    hosts,
    'trusted-proxies': trustedProxies,
  }: SettingsShape['listen'],
  sources: Sources,
  problems: Problems,
): GatewaySettings['listen'] {
  const files = tls ? filesOf(tls, sources.folder) : undefined
  if (files) checkPair(files, sources, problems)
  const own = metrics && { metrics }
  return {
    http,
    grpc,
    hosts,
    trustedProxies,
    ...own,
    ...(typeof publicUrl === 'string' && { publicUrl }),
    ...(files && { tls: files }),
  }
}

function filesOf(
  { certificate, key, 'agent-ca': agentCa }: NonNullable<SettingsShape['listen']['tls']>,
  folder: string,
): CertificateFiles {
  const pair = { certificate: resolve(folder, certificate), key: resolve(folder, key) }
  return typeof agentCa === 'string' ? { ...pair, agentCa: resolve(folder, agentCa) } : pair
}

function checkPair(files: CertificateFiles, { noticed }: Sources, problems: Problems): void {
  try {
    readPair(files)
    noticed?.(files.key, ['listen', 'tls', 'key'], 'secret')
    noticed?.(files.certificate, ['listen', 'tls', 'certificate'], 'public')
    if (files.agentCa !== undefined) noticed?.(files.agentCa, ['listen', 'tls', 'agent-ca'], 'public')
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    problems.add(['listen', 'tls'], error.message)
  }
}

/**
 * Refuses addresses of other machines without TLS, because tokens and agents' keys would arrive unencrypted.
 */
export function checkListen(listen: SettingsShape['listen'], problems: Problems): void {
  for (const server of ['http', 'grpc'] as const) {
    if (listen.tls || listen['allow-remote'] || isLoopback(listen[server].host)) continue
    const advice =
      'set listen.tls, use a loopback address, or set listen.allow-remote: true to accept this risk'
    problems.add(['listen', server], `without TLS other machines could read the tokens sent here; ${advice}`)
  }
  checkApart(listen, problems)
}

function checkApart(listen: SettingsShape['listen'], problems: Problems): void {
  const servers = ['http', 'grpc', 'metrics'] as const
  servers.forEach((server, at) => {
    const own = listen[server]
    if (!own || own.port === 0) return
    const other = servers.slice(0, at).find((name) => isSame(own, listen[name]))
    if (other !== undefined) problems.add(['listen', server], `listen.${other} has this address already`)
  })
}

function isSame(one: Address, other: Address | null | undefined): boolean {
  return one.port === other?.port && one.host === other.host
}
