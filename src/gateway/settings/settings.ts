import type { Address } from '../../basics/net/address.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import type { Budget, UserKind } from '../identity.ts'
import type { CertificateFiles } from '../tls/certificates.ts'
import type { JiraSettings, JiraTemplate } from './jira.ts'
import type { LockSettings } from './locks.ts'
import type { OidcSettings } from './oidc.ts'
import type { Retention } from './retention.ts'
import type { ReviewSettings, RunbookReview } from './reviews.ts'
import type { ScheduleSettings } from './schedules.ts'
import type { Tags } from './connections.ts'
import type { WebhookSettings } from './webhooks.ts'
import type { PathPattern } from './words.ts'

/** `gateway.yaml`, complete: references read, defaults filled in, paths absolute. docs/settings.md lists them. */
export interface GatewaySettings {
  readonly listen: {
    readonly http: Address
    readonly grpc: Address
    /** The address of `/metrics`. Undefined: nowhere. */
    readonly metrics?: Address
    /** Where people reach the REST interface, without a slash at the end. */
    readonly publicUrl?: string
    /** Networks of proxies that are believed when they say who has called them. */
    readonly trustedProxies: readonly string[]
    /** The certificate of both addresses. Undefined: there is no TLS. */
    readonly tls?: CertificateFiles
  }
  /** Folder of the history and the generated keys. */
  readonly state: string
  readonly users: readonly UserSettings[]
  /** Undefined: people sign in with tokens alone. */
  readonly signIn?: { readonly oidc?: OidcSettings }
  readonly agents: readonly AgentSettings[]
  readonly repositories: readonly RepositorySettings[]
  readonly guardrails: readonly GuardrailSettings[]
  /** Undefined: no session gets an issue. */
  readonly jira?: JiraSettings
  readonly connections: readonly ConnectionSettings[]
  readonly locks: readonly LockSettings[]
  readonly schedules: readonly ScheduleSettings[]
  readonly webhooks: readonly WebhookSettings[]
  /** Time for running sessions when the gateway is told to stop. */
  readonly stopTimeoutMs: number
  readonly limits: {
    /** How long a REST call waits before it answers 202. */
    readonly waitMs: number
    /** How long an execution waits for an agent that is offline. */
    readonly agentWaitMs: number
    /** How long a session waits for its locks. */
    readonly lockWaitMs: number
    /** Longest REST request body. */
    readonly bodyBytes: number
    /** Longest output in a REST answer. */
    readonly outputBytes: number
    /** Failed sign-ins of one address in a minute. */
    readonly failedSignIns: number
    /** How many runs of a batch run at once, at most. */
    readonly batchParallel: number
  }
  readonly history: Retention & {
    /** Entries of the audit log that are older are removed. */
    readonly auditRetainMs: number
  }
}

export interface UserSettings {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** Whether somebody who is called so at the provider is this user. */
  readonly oidc: boolean
  /** Undefined: no limit. Only machines have one. */
  readonly budget?: Budget
  readonly tokens: readonly TokenSettings[]
}

export interface TokenSettings {
  /** Unique among those of its user. */
  readonly name: string
  /** The token itself is not kept. */
  readonly sha256: Buffer
  /** Ms since 1970. Undefined: never. */
  readonly expiresAt?: number
}

export interface AgentSettings {
  readonly name: string
  /** SHA-256 of the secret part of the agent's credential. */
  readonly keySha256: Buffer
}

export interface RepositorySettings {
  readonly name: string
  /** What git takes: a url, which may hold a password, or the absolute path of a repository on this machine. */
  readonly url: string
  readonly branch?: string
  /** How long a fetched commit counts as fresh. */
  readonly refreshMs?: number
}

/** Rules under one name. The agent of a connection that has them enforces them. */
export interface GuardrailSettings {
  readonly name: string
  readonly input: readonly Rule[]
  readonly output: readonly Rule[]
}

export interface ConnectionSettings {
  readonly name: string
  /** Name of an agent in `agents`. */
  readonly agent: string
  /** As configured; what the agent is told is `connectionType(type, subtype)`. */
  readonly type: string
  readonly subtype?: string
  readonly tags: Tags
  /** Program and arguments, at least one. */
  readonly command: readonly string[]
  /** In the form of the wire: `envvar:NAME` or `filesystem:NAME` to base64. From `env`, `files` and `secrets` together. */
  readonly secrets: ReadonlyMap<string, string>
  /** Names of the variables among them that are no secrets: those of `env`, where `secrets` has the secret ones. */
  readonly plain: readonly string[]
  /** `repository` is a name in `repositories`; `path` is the prefix of the files that may be run, `''` for all. */
  readonly runbooks?: {
    readonly repository: string
    readonly path: string
    readonly reviews?: readonly RunbookReview[]
    /** Files before which people type the connection's name. */
    readonly confirm?: readonly PathPattern[]
  }
  /** Undefined: nobody has to approve. */
  readonly review?: ReviewSettings
  /** Undefined: its output is not masked. */
  readonly masking?: MaskingParams
  /** Before every runbook people type the connection's name. */
  readonly confirm?: true
  /** Whose sessions its users may see: of those in one of their groups, or all. Undefined: their own. */
  readonly sessions?: 'groups' | 'all'
  /** In the order of `gateway.yaml`. */
  readonly guardrails: readonly GuardrailSettings[]
  /** By which each of its sessions gets an issue, before it runs. */
  readonly jira?: JiraTemplate
  readonly access: {
    readonly runbooks: boolean
    readonly exec: boolean
    /** Terminals. Unset: only where `exec` is allowed, since what is typed into them is a script. */
    readonly connect: boolean
    /**
     * Whether the caller of a runbook or of a terminal may add arguments and variables. Unset: only where `exec` is
     * allowed, since with them (`-c`, BASH_ENV) callers can run anything.
     */
    readonly clientInput: boolean
    /**
     * Whether scripts may use a database client's ways to a shell on the agent's machine. Unset: blocked on connections
     * of databases where neither `exec` nor `connect` is allowed, so that a runbook's parameter cannot become a command.
     */
    readonly clientEscapes: 'block' | 'allow'
    /** Only users in one of these groups. Undefined: everybody. */
    readonly groups?: readonly string[]
  }
}

/** What the agent is told about masking. */
export type MaskingParams = Pick<
  ConnectionParams,
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/** Where to look up the settings in force, or those of their parts that somebody needs. Don't keep a part of the value. */
export interface Current<Part extends keyof GatewaySettings> {
  readonly value: Pick<GatewaySettings, Part>
}

/** The settings in force. They are replaced as a whole when the file is read again. */
export class CurrentSettings implements Current<keyof GatewaySettings> {
  #value: GatewaySettings

  constructor(value: GatewaySettings) {
    this.#value = value
  }

  get value(): GatewaySettings {
    return this.#value
  }

  replace(value: GatewaySettings): void {
    this.#value = value
  }
}
