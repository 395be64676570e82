import { homedir } from 'node:os'
import type { Address } from './basics/net/address.ts'
import { proxyFrom, type ProxySettings } from './basics/net/proxy.ts'
import { Lookup, type SettingsSource } from './config/settings-file.ts'
import { stateFolder } from './config/state-folder.ts'
import { findPolicy, type PolicySettings } from './config/policy.ts'
import { SETTINGS } from './config/table.ts'
import { type TlsSettings, findTls } from './config/tls.ts'
import {
  type CredentialSearch,
  findKey,
  findSvid,
  findToken,
  type GatewayToken,
  type Key,
  warnOfPlace,
} from './config/key.ts'

export interface AgentConfiguration {
  /** This type does not guarantee the key's form. The key prints as `<set>`. */
  readonly key: Credential
  readonly allowPlaintext: boolean
  readonly tls: TlsSettings
  /** The proxy is used only for connections with TLS. */
  readonly proxy: ProxySettings | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logEncoding: 'json' | 'human'
  readonly runtimeDir: string | undefined
  readonly stateDir: string
  /** The value 0 means no journal. */
  readonly journalBytes: number
  /** The value is at least 1. */
  readonly limitsSessions: number
  /** The limits apply to each execution. Undefined means no limit. */
  readonly limitsMemoryBytes: number | undefined
  readonly limitsProcesses: number | undefined
  /** The value 0 means no limit. */
  readonly outputCapBytes: number
  readonly onCap: 'continue' | 'kill'
  readonly tailMemoryBytes: number
  readonly redact: 'on' | 'off'
  readonly redactNames: readonly string[]
  /** Undefined means that the gateway's settings apply. */
  readonly presidio: OwnPresidio | undefined
  readonly maskingForm: 'tag' | 'mask'
  readonly maskingRefine: readonly ('ipv6' | 'ssn')[]
  readonly policy: PolicySettings | undefined
  readonly killGraceMs: number
  /** Undefined means no limit. */
  readonly maxDurationMs: number | undefined
  readonly background: 'kill' | 'leave'
  readonly http: Address | undefined
  /** What happens to running commands when the gateway is lost. */
  readonly onDisconnect: 'terminate' | 'finish'
  readonly drainMs: number
  /** Variables that the settings file names with `env://`. No connection may read them. */
  readonly referencedVariables: readonly string[]
  /** Warnings for the log about settings that work but are unwise. */
  readonly warnings: readonly string[]
}

/**
 * Reads the settings. The order of precedence is: flags, `RUNBOOK_AGENT_*`, hoop's variables, the file,
 * defaults. An empty variable counts as not set.
 * @throws SettingsError with all faults
 */
export function loadAgentSettings(source: SettingsSource): AgentConfiguration {
  const lookup = new Lookup(source)
  const { key, ...rest } = readAll(lookup, source, { needsKey: true })
  lookup.problems.throwIfAny()
  if (key === undefined) throw new Error('the key is missing, but no problem was reported')
  return { key, ...rest }
}

/**
 * Checks a settings file, which may lack key and gateway.
 * @param environment the variables to which `env://` refers
 */
export function checkAgentFile(
  path: string,
  environment: NodeJS.ProcessEnv,
): {
  problems: readonly string[]
  warnings: readonly string[]
  policy: PolicySettings | undefined
} {
  const source = { flags: { config: path }, env: { HOOP_GRPCURL: '127.0.0.1:8010' }, stderrIsTty: false }
  const lookup = new Lookup(source, environment)
  const { warnings, policy } = readAll(lookup, source, { needsKey: false })
  return { problems: lookup.problems.toLines(), warnings, policy }
}

type Unchecked = Omit<AgentConfiguration, 'key'> & { readonly key: Credential | undefined }

function readAll(
  lookup: Lookup,
  source: SettingsSource,
  { needsKey }: { readonly needsKey: boolean },
): Unchecked {
  const { env } = source
  const warnings: string[] = []
  const key = findCredential({ lookup, credentials: env['CREDENTIALS_DIRECTORY'], warnings }, needsKey)
  const tls = findTls({ lookup, env, warnings })
  const proxy = proxyFrom(env, lookup.problems)
  const presidio = findPresidio(lookup, warnings)
  const policy = findPolicy(lookup, warnings)
  const { referencedVariables } = lookup
  return { key, tls, proxy, presidio, policy, ...readRest(lookup, source), warnings, referencedVariables }
}

type Rest = Omit<
  AgentConfiguration,
  'key' | 'tls' | 'proxy' | 'presidio' | 'policy' | 'warnings' | 'referencedVariables'
>

function readRest(lookup: Lookup, source: SettingsSource): Rest {
  return {
    allowPlaintext: lookup.value(SETTINGS.allowPlaintext),
    logLevel: lookup.value(SETTINGS.logLevel),
    logEncoding: lookup.find(SETTINGS.logEncoding)?.value ?? defaultEncoding(source),
    runtimeDir: lookup.find(SETTINGS.runtimeDir)?.value,
    stateDir: stateFolder({
      setting: lookup.find(SETTINGS.stateDir)?.value,
      env: source.env,
      home: homedir(),
      uid: process.geteuid?.() ?? 0,
    }),
    journalBytes: lookup.value(SETTINGS.journalSize),
    limitsSessions: lookup.value(SETTINGS.limitsSessions),
    limitsMemoryBytes: lookup.find(SETTINGS.limitsMemory)?.value,
    limitsProcesses: lookup.find(SETTINGS.limitsProcesses)?.value,
    outputCapBytes: lookup.value(SETTINGS.outputCap),
    onCap: lookup.value(SETTINGS.outputOnCap),
    tailMemoryBytes: lookup.value(SETTINGS.outputTailMemory),
    redact: lookup.value(SETTINGS.redact),
    redactNames: lookup.find(SETTINGS.redactNames)?.value ?? [],
    maskingForm: lookup.value(SETTINGS.maskingForm),
    maskingRefine: lookup.find(SETTINGS.maskingRefine)?.value ?? [],
    killGraceMs: lookup.value(SETTINGS.killGrace),
    background: lookup.value(SETTINGS.background),
    http: lookup.find(SETTINGS.http)?.value,
    onDisconnect: lookup.value(SETTINGS.onDisconnect),
    maxDurationMs: lookup.find(SETTINGS.executionMaxDuration)?.value,
    drainMs: lookup.value(SETTINGS.drain),
  }
}

function defaultEncoding({ stderrIsTty, env }: SettingsSource): 'json' | 'human' {
  return stderrIsTty && !env['NO_COLOR'] ? 'human' : 'json'
}

type Credential = Key | GatewayToken

/**
 * Tries a key, then a JWT-SVID, then a token of the old kind (protocol.md 2.3). The key comes first, because
 * hoop's chart sets the SVID's path even without an SVID.
 */
function findCredential(search: CredentialSearch, isNeeded: boolean): Credential | undefined {
  const { problems, file } = search.lookup
  const before = problems.count
  for (const find of [findKey, findSvid, findToken]) {
    const credential = find(search)
    if (credential?.kind === 'token') warnOfToken(search)
    if (credential !== undefined || problems.count > before) return credential
  }
  // Reports a missing key only if the file could be read, because an unreadable file may contain the key.
  if (file.entries !== undefined && isNeeded)
    problems.addFrom('missing HOOP_KEY environment variable', 'set HOOP_KEY, or key-file')
  return undefined
}

function warnOfToken(search: CredentialSearch): void {
  const token = search.lookup.find(SETTINGS.token)
  if (token !== undefined) warnOfPlace(token, search)
}

/**
 * The agent's own Presidio. Its addresses and mode replace those of the gateway. The gateway's provider
 * stays.
 */
interface OwnPresidio {
  readonly analyzer: string
  readonly anonymizer: string
  readonly mode: 'strict' | 'best-effort'
}

/** Reads the addresses. One address without the other has no effect (protocol.md 5.3). */
function findPresidio(lookup: Lookup, warnings: string[]): OwnPresidio | undefined {
  const analyzer = lookup.find(SETTINGS.maskingAnalyzer)
  const anonymizer = lookup.find(SETTINGS.maskingAnonymizer)
  const mode = lookup.find(SETTINGS.maskingMode)?.value ?? ''
  const alone = analyzer ?? anonymizer
  if (alone === undefined) return undefined
  if (analyzer === undefined || anonymizer === undefined) {
    warnings.push(
      `${alone.place}: not used, because masking.analyzer and masking.anonymizer have an effect only together`,
    )
    return undefined
  }
  if (mode !== 'strict' && mode !== 'best-effort')
    warnings.push(`DLP_MODE unknown value (${JSON.stringify(mode)}), fallback to best-effort`)
  return {
    analyzer: analyzer.value,
    anonymizer: anonymizer.value,
    mode: mode === 'strict' ? 'strict' : 'best-effort',
  }
}
