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

/**
 * `gateway.yaml`, complete: references read, defaults filled in, paths absolute. docs/settings.md lists the
 * settings.
 */
export interface GatewaySettings {
  readonly listen: {
    readonly http: Address
    readonly grpc: Address
    /** The address of `/metrics`. Undefined: `/metrics` is not served. */
    readonly metrics?: Address
    /** Address at which people reach the REST interface, without a slash at the end. */
    readonly publicUrl?: string
    /** Networks of trusted proxies, whose headers name the caller. */
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
    /** Time that a REST call waits before it answers 202. */
    readonly waitMs: number
    /** Time that an execution waits for an agent that is offline. */
    readonly agentWaitMs: number
    /** Time that a session waits for its locks. */
    readonly lockWaitMs: number
    /** Longest REST request body. */
    readonly bodyBytes: number
    /** Longest output in a REST answer. */
    readonly outputBytes: number
    /** Failed sign-ins per address and minute. */
    readonly failedSignIns: number
    /** Limit of the parallel runs of a batch. */
    readonly batchParallel: number
  }
  readonly history: Retention & {
    /** Age at which entries of the audit log are removed. */
    readonly auditRetainMs: number
  }
}

export interface UserSettings {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** Whether a person with this name at the provider is this user. */
  readonly oidc: boolean
  /** Undefined: no limit. Only machines have a budget. */
  readonly budget?: Budget
  readonly tokens: readonly TokenSettings[]
}

export interface TokenSettings {
  /** Unique among the tokens of its user. */
  readonly name: string
  /** The token itself is not kept. */
  readonly sha256: Buffer
  /** Time in ms since 1970. Undefined: it never expires. */
  readonly expiresAt?: number
}

export interface AgentSettings {
  readonly name: string
  /** SHA-256 of the secret part of the agent's credential. */
  readonly keySha256: Buffer
}

export interface RepositorySettings {
  readonly name: string
  /**
   * git's argument: a URL, which may hold a password, or the absolute path of a repository on this machine.
   */
  readonly url: string
  readonly branch?: string
  /** Time for which a fetched commit counts as fresh. */
  readonly refreshMs?: number
}

/** Rules under one name. The agent of a connection with these rules enforces them. */
export interface GuardrailSettings {
  readonly name: string
  readonly input: readonly Rule[]
  readonly output: readonly Rule[]
}

export interface ConnectionSettings {
  readonly name: string
  /** Name of an agent in `agents`. */
  readonly agent: string
  /** As configured; the agent gets `connectionType(type, subtype)`. */
  readonly type: string
  readonly subtype?: string
  readonly tags: Tags
  /** Program and arguments, at least one. */
  readonly command: readonly string[]
  /**
   * Variables in the form of the wire: `envvar:NAME` or `filesystem:NAME` to base64. From `env`, `files` and
   * `secrets` together.
   */
  readonly secrets: ReadonlyMap<string, string>
  /**
   * Names of the variables in `secrets` that are no secrets: those of `env`, where the file's `secrets` has
   * the secret ones.
   */
  readonly plain: readonly string[]
  /**
   * `repository` is a name in `repositories`; `path` is the prefix of the files that may be run, `''` for
   * all.
   */
  readonly runbooks?: {
    readonly repository: string
    readonly path: string
    readonly reviews?: readonly RunbookReview[]
    /** Files for which people type the connection's name before a run. */
    readonly confirm?: readonly PathPattern[]
  }
  /** Undefined: no approval is needed. */
  readonly review?: ReviewSettings
  /** Undefined: its output is not masked. */
  readonly masking?: MaskingParams
  /** People type the connection's name before every runbook. */
  readonly confirm?: true
  /** Sessions that its users may see: those of users in one of their groups, or all. Undefined: their own. */
  readonly sessions?: 'groups' | 'all'
  /** In the order of `gateway.yaml`. */
  readonly guardrails: readonly GuardrailSettings[]
  /** Template of the issue that each session gets before it runs. */
  readonly jira?: JiraTemplate
  readonly access: {
    readonly runbooks: boolean
    readonly exec: boolean
    /** Terminals. Unset: only where `exec` is allowed, since text that users type into them is a script. */
    readonly connect: boolean
    /**
     * Whether the caller of a runbook or of a terminal may add arguments and variables. Unset: only where
     * `exec` is allowed, since with them (`-c`, BASH_ENV) callers can run anything.
     */
    readonly clientInput: boolean
    /**
     * Whether scripts may use a database client's ways to a shell on the agent's machine. Unset: blocked on
     * connections of databases where neither `exec` nor `connect` is allowed, so that a runbook's parameter
     * cannot become a command.
     */
    readonly clientEscapes: 'block' | 'allow'
    /** Groups whose users may use the connection. Undefined: everybody. */
    readonly groups?: readonly string[]
  }
}

/** Masking as the agent gets it. */
export type MaskingParams = Pick<
  ConnectionParams,
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/**
 * The settings in force, or parts of them. Read them when they are needed, and don't keep a part of the
 * value.
 */
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
