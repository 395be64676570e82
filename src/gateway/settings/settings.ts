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
 * The complete settings of `gateway.yaml`: references are resolved, defaults are filled in, and paths are
 * absolute. docs/settings.md lists the settings.
 */
export interface GatewaySettings {
  readonly listen: {
    readonly http: Address
    readonly grpc: Address
    /** The address of `/metrics`. Undefined means that `/metrics` is not served. */
    readonly metrics?: Address
    /** Public address of the REST API for links, without a slash at the end. */
    readonly publicUrl?: string
    /** Networks of trusted proxies. Their `X-Forwarded-For` names the caller. */
    readonly trustedProxies: readonly string[]
    /** The certificate of `http` and `grpc`. Undefined means no TLS. */
    readonly tls?: CertificateFiles
  }
  /** Folder of the history and the generated keys. */
  readonly state: string
  readonly users: readonly UserSettings[]
  /** Undefined means that people sign in only with tokens. */
  readonly signIn?: { readonly oidc?: OidcSettings }
  readonly agents: readonly AgentSettings[]
  readonly repositories: readonly RepositorySettings[]
  readonly guardrails: readonly GuardrailSettings[]
  /** Undefined means that sessions get no issues. */
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
    /** Maximum size of a request body. */
    readonly bodyBytes: number
    /** Maximum size of the output in an answer. */
    readonly outputBytes: number
    /** Maximum number of failed sign-ins per address and minute. */
    readonly failedSignIns: number
    /** Maximum number of parallel runs of a batch. */
    readonly batchParallel: number
  }
  readonly history: Retention & {
    /** Entries of the audit log are removed at this age. */
    readonly auditRetainMs: number
  }
}

export interface UserSettings {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** Whether the person with this name at the sign-in provider is this user. */
  readonly oidc: boolean
  /** Only machines have a budget. Undefined means no limit. */
  readonly budget?: Budget
  readonly tokens: readonly TokenSettings[]
}

export interface TokenSettings {
  /** Name that is unique among the tokens of the user. */
  readonly name: string
  /** SHA-256 of the token. The token itself is not kept. */
  readonly sha256: Buffer
  /** Time in ms since 1970. Undefined means that the token never expires. */
  readonly expiresAt?: number
}

export interface AgentSettings {
  readonly name: string
  /** SHA-256 of the secret part of the agent's credential. */
  readonly keySha256: Buffer
}

export interface RepositorySettings {
  readonly name: string
  /** A URL, which may contain a password, or the absolute path of a repository on this machine. */
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
  /** The configured type. The agent receives `connectionType(type, subtype)`. */
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
   * Names of the variables in `secrets` that are not secret. If the file has `secrets`, these are the
   * variables of `env`.
   */
  readonly plain: readonly string[]
  /**
   * `repository` is a name in `repositories`. `path` is the prefix of the files that may run, or `''` for all
   * files.
   */
  readonly runbooks?: {
    readonly repository: string
    readonly path: string
    readonly reviews?: readonly RunbookReview[]
    /** Files for which people type the connection's name before a run. */
    readonly confirm?: readonly PathPattern[]
  }
  /** Undefined means that no approval is needed. */
  readonly review?: ReviewSettings
  /** Undefined means that the output is not masked. */
  readonly masking?: MaskingParams
  /** People type the connection's name before every runbook. */
  readonly confirm?: true
  /**
   * Sessions that users of the connection may see: sessions of users in one of their groups, or all sessions.
   * Undefined means only their own sessions.
   */
  readonly sessions?: 'groups' | 'all'
  /** In the order of `gateway.yaml`. */
  readonly guardrails: readonly GuardrailSettings[]
  /** Template of the issue that each session gets before it runs. */
  readonly jira?: JiraTemplate
  readonly access: {
    readonly runbooks: boolean
    readonly exec: boolean
    /**
     * Whether users may open terminals. By default only if `exec` is allowed, since text that is typed into a
     * terminal is a script.
     */
    readonly connect: boolean
    /**
     * Whether the caller of a runbook or of a terminal may add arguments and variables. By default only if
     * `exec` is allowed, since with arguments and variables (`-c`, BASH_ENV) callers can run anything.
     */
    readonly clientInput: boolean
    /**
     * Whether scripts may use a database client's ways to a shell on the agent's machine. Blocked by default
     * on connections of databases that allow neither `exec` nor `connect`, so that a runbook's parameter
     * cannot become a command.
     */
    readonly clientEscapes: 'block' | 'allow'
    /** Groups whose users may use the connection. Undefined means all users. */
    readonly groups?: readonly string[]
  }
}

/** Masking in the form that the agent receives. */
export type MaskingParams = Pick<
  ConnectionParams,
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/**
 * The settings that the gateway uses, or some of them. Read `value` each time it is needed, and do not store
 * parts of it, because a reload replaces it.
 */
export interface Current<Part extends keyof GatewaySettings> {
  readonly value: Pick<GatewaySettings, Part>
}

/** The settings that the gateway uses. A reload replaces all settings at once. */
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
