import { parseKey, tokenIdentity, type Identity } from '../../agent/connection/identity.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import { hostOf, portOf } from '../../dial/address.ts'
import type { TlsOptions } from '../../dial/tls.ts'
import { type Proxy, proxyTo } from '../../basics/net/proxy.ts'
import { systemAuthorities } from '../../basics/net/authorities.ts'
import { isLoopback } from '../../basics/net/address.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { loadAgentSettings, type AgentConfiguration } from '../../config.ts'
import type { SettingsSource } from '../../config/settings-file.ts'
import { Failure } from '../exit-codes.ts'

export type Flags = SettingsSource['flags']

/** @throws Failure with all problems of the settings */
export function readSettings(flags: Flags): AgentConfiguration {
  try {
    return loadAgentSettings({ flags, env: process.env, stderrIsTty: process.stderr.isTTY })
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}

/** @throws Failure if the credential is malformed or would be sent without encryption */
export function readIdentity({ key, tls, allowPlaintext }: AgentConfiguration): Identity {
  try {
    const identity = identityOf(key)
    // The system's authorities are read only for TLS, because this takes time.
    if (identity.tls !== undefined) return { ...identity, tls: tlsOptions(tls) }
    if (allowPlaintext || isLoopback(identity.host)) return identity
    throw new Failure(
      `${key.source}: a key sent to ${identity.host} without TLS can be read by others on the network. Use grpcs://, or set allow-plaintext`,
    )
  } catch (error) {
    throw error instanceof SetUpError ? new Failure(error.message) : error
  }
}

/** The connection to the gateway uses the proxy only with TLS. */
export function proxyFor({ proxy }: AgentConfiguration): (address: string) => Proxy | undefined {
  return (address) => proxyTo(proxy, hostOf(address), portOf(address))
}

function identityOf(credential: AgentConfiguration['key']): Identity {
  if (credential.kind === 'key') return parseKey(credential.value.reveal(), credential.source)
  const { value: token, gateway, gatewaySource, name, plaintext } = credential
  return tokenIdentity({ token, gateway, name, tls: plaintext ? undefined : {} }, gatewaySource)
}

function tlsOptions({ authorities, serverName, skipVerify, client }: AgentConfiguration['tls']): TlsOptions {
  return {
    ...(!skipVerify && { authorities: authorities ?? systemAuthorities(process.env) }),
    ...(serverName !== undefined && { serverName }),
    skipVerify,
    ...(client !== undefined && { client }),
  }
}
