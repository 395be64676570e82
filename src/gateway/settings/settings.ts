import type { Address } from '../../basics/net/address.ts'
import type { Rule } from '../../policy/guardrails/rules.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import type { Budget, UserKind } from '../identity.ts'
import type { CertificateFiles } from '../tls/certificates.ts'
import type { JiraSettings, JiraTemplate } from './jira.ts'
import type { LockSettings } from './locks.ts'
import type { McpOffer } from './mcp.ts'
import type { OidcSettings } from './oidc.ts'
import type { Retention } from './retention.ts'
import type { ReasonSetting, ReviewSettings, RunbookReview } from './reviews.ts'
import type { ScheduleSettings } from './schedules.ts'
import type { Tags } from './connections.ts'
import type { WebhookSettings } from './webhooks.ts'
import type { PathPattern } from './words.ts'

/** References are resolved, defaults filled in, and paths absolute. docs/settings.md lists the settings. */
export interface GatewaySettings {
  readonly listen: {
    readonly http: Address
    readonly grpc: Address
    /** Address of `/metrics`. Undefined if `/metrics` is not served. */
    readonly metrics?: Address
    /** Address for links, without a slash at the end. */
    readonly publicUrl?: string
    /** Further names by which the REST interface is reached. */
    readonly hosts: readonly string[]
    /** Networks of proxies. The gateway takes the caller's address from their `X-Forwarded-For`. */
    readonly trustedProxies: readonly string[]
    /** Undefined if `http` and `grpc` have no TLS. */
    readonly tls?: CertificateFiles
  }
  /** Folder of the history and the generated keys. */
  readonly state: string
  readonly users: readonly UserSettings[]
  /** Undefined if people sign in only with tokens. */
  readonly signIn?: { readonly oidc?: OidcSettings }
  readonly agents: readonly AgentSettings[]
  readonly repositories: readonly RepositorySettings[]
  readonly guardrails: readonly GuardrailSettings[]
  /** Undefined if sessions get no issues. */
  readonly jira?: JiraSettings
  readonly connections: readonly ConnectionSettings[]
  readonly locks: readonly LockSettings[]
  readonly schedules: readonly ScheduleSettings[]
  readonly webhooks: readonly WebhookSettings[]
  /** Tools for machines. If empty, `/mcp` is missing. */
  readonly mcp: readonly McpOffer[]
  /** How long running sessions may continue after the gateway is told to stop. */
  readonly stopTimeoutMs: number
  readonly limits: {
    /** Time after which a REST call answers 202. */
    readonly waitMs: number
    /** Time to wait for an agent that is offline. */
    readonly agentWaitMs: number
    readonly lockWaitMs: number
    readonly bodyBytes: number
    /** Maximum output in one answer. */
    readonly outputBytes: number
    /** Maximum number per address and minute. */
    readonly failedSignIns: number
    readonly batchParallel: number
  }
  readonly history: Retention & {
    readonly auditRetainMs: number
  }
}

export interface UserSettings {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** True if a person who has this name at the sign-in provider is this user. */
  readonly oidc: boolean
  /** Undefined for people, and for machines without a limit. */
  readonly budget?: Budget
  readonly tokens: readonly TokenSettings[]
}

export interface TokenSettings {
  /** Unique among the user's tokens. */
  readonly name: string
  /** Hash of the token. The token itself is not kept. */
  readonly sha256: Buffer
  /** Time in ms since 1970. Undefined if the token does not expire. */
  readonly expiresAt?: number
}

export interface AgentSettings {
  readonly name: string
  /** Hash of the secret part of the agent's credential. */
  readonly keySha256: Buffer
}

export interface RepositorySettings {
  readonly name: string
  /** A URL, which may contain a password, or an absolute path on this machine. */
  readonly url: string
  readonly branch?: string
  /** How long a fetched commit is used before the gateway fetches again. */
  readonly refreshMs?: number
}

/** Rules for the sessions of a connection. The agent enforces them. */
export interface GuardrailSettings {
  readonly name: string
  readonly input: readonly Rule[]
  readonly output: readonly Rule[]
}

export interface ConnectionSettings {
  readonly name: string
  readonly agent: string
  /** The configured type. The agent receives `connectionType(type, subtype)`. */
  readonly type: string
  readonly subtype?: string
  readonly tags: Tags
  /** The program, and its arguments if it has any. */
  readonly command: readonly string[]
  /** `env`, `files` and `secrets` as sent: a key is `envvar:NAME` or `filesystem:NAME`, a value is base64. */
  readonly secrets: ReadonlyMap<string, string>
  /** Variables in `secrets` that are not secret: the ones of `env`, if the file also has `secrets`. */
  readonly plain: readonly string[]
  /** `repository` is a name in `repositories`. `path` is a prefix of files that may run: `''` allows all. */
  readonly runbooks?: {
    readonly repository: string
    readonly path: string
    readonly reviews?: readonly RunbookReview[]
    /** People type the connection's name before these files run. */
    readonly confirm?: readonly PathPattern[]
  }
  /** Undefined if no approval is needed. */
  readonly review?: ReviewSettings
  /** Undefined if nobody is asked for a reason. */
  readonly reason?: ReasonSetting
  /** Undefined if output is not masked. */
  readonly masking?: MaskingParams
  /** People type the connection's name before every runbook. */
  readonly confirm?: true
  /**
   * The sessions that users may see: those of users in one of their groups, or all. Undefined if users may
   * see only their own sessions.
   */
  readonly sessions?: 'groups' | 'all'
  /** Guardrails in the order of `gateway.yaml`. */
  readonly guardrails: readonly GuardrailSettings[]
  /** Each session gets an issue by this template before it runs. */
  readonly jira?: JiraTemplate
  readonly access: {
    readonly runbooks: boolean
    readonly exec: boolean
    /** True if the page may read the tables of the database for users who may run scripts. */
    readonly schema: boolean
    /** True if users may open terminals. The default is `exec`: users can type scripts in a terminal. */
    readonly connect: boolean
    /**
     * True if the caller of a runbook or a terminal may add arguments and variables. The default is `exec`,
     * because with arguments and variables (`-c`, BASH_ENV) callers can run anything.
     */
    readonly clientInput: boolean
    /**
     * Allows or blocks the commands of a database client that start a shell on the agent's machine. The
     * default for databases without `exec` and `connect` is `block`: a runbook's parameter must not become a
     * command.
     */
    readonly clientEscapes: 'block' | 'allow'
    /** Undefined if all users have access. */
    readonly groups?: readonly string[]
  }
}

/** Masking as the agent receives it. */
export type MaskingParams = Pick<
  ConnectionParams,
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/** A reload replaces `value`: read it each time, and do not store parts of it. */
export interface Current<Part extends keyof GatewaySettings> {
  readonly value: Pick<GatewaySettings, Part>
}

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
