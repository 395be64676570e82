import type { Logger } from '../../basics/logger.ts'
import type { AgentEnvironment } from '../../envvars/agent-environment.ts'
import { Entry } from '../../envvars/entry.ts'
import { mergeEntries } from '../../envvars/merge.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import { type SecretStores, SessionSecrets } from '../../envvars/secrets/stores.ts'
import { CLIENT_ESCAPES } from '../../policy/client-escapes.ts'
import type { CompiledCache } from '../../policy/compiled-cache.ts'
import type { OpenMessage } from '../../wire/messages/message.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { restrictedProgram, type RestrictedProgram } from './client-escapes.ts'
import { checkServer } from './liveness.ts'
import { asksForMasking } from '../masking/masking-result.ts'
import type { MaskingSettings, SessionMasking } from '../masking/session-masking.ts'
import { RefusedError } from '../refused.ts'
import { SessionGuardrails, type CompiledGuardrails } from '../policy/guardrails.ts'
import { type OwnerPolicy, type PolicySource, programSearch } from '../policy/owner-policy.ts'

/** A command that was checked, with everything needed to start it. */
export interface CommandRequest {
  /** The connection's name, for the log; undefined for a system request. */
  readonly connection: string | undefined
  /** Command and client arguments, before `$VAR` expansion. */
  readonly argv: readonly string[]
  /** The connection's program; empty if the client chooses the program. */
  readonly program: string
  /** Variables of the connection, the client and HOOP_*, one per name. */
  readonly entries: readonly Entry[]
  /** Variables whose secret values are replaced in captured output. */
  readonly redactable: readonly Entry[]
  /** Whether the output is collected for an API answer, not streamed to a person or a pipe. */
  readonly captured: boolean
  readonly masking: SessionMasking | undefined
  readonly restricted: RestrictedProgram | undefined
  readonly guardrails: SessionGuardrails | undefined
  readonly policy: OwnerPolicy | undefined
  /** Number of arguments from the client, which are the last ones. */
  readonly clientArguments: number
}

export interface CheckServices {
  /** Resolves references of a connection. */
  readonly agentEnvironment: AgentEnvironment
  /** Other sources for a connection's values. */
  readonly secretStores: SecretStores
  /** Whether the agent has `mode=embedded`: its whole environment overrides the variables of each session. */
  readonly embedded: boolean
  readonly folder: RuntimeFolder
  /** Variables of the agent's own environment that are passed to every command. */
  readonly inherited: ReadonlyMap<string, string>
  readonly cwd: string
  readonly masking: MaskingSettings
  readonly policy?: PolicySource
  readonly compiledGuardrails: CompiledCache<CompiledGuardrails>
  readonly log: Logger
}

/**
 * Checks a session in the order of protocol.md 5.3.
 * @param ended aborts when the session is over: secrets are then no longer fetched
 * @throws RefusedError or EnvvarError; the session is then closed with exit code 254 and the error's message
 * @throws the signal's reason
 */
export async function checkRequest(
  open: OpenMessage,
  services: CheckServices,
  ended: AbortSignal,
): Promise<CommandRequest> {
  const { agentEnvironment, secretStores, embedded, folder } = services
  const { params, connectionType } = open
  const policy = allowing(open, services)
  if (asksForPort(open)) throw new RefusedError(noNativeConnection(open))
  const guardrails = await SessionGuardrails.of(params, policy?.rules, services.compiledGuardrails)
  const restricted = restrictedProgram(params)
  const merged = await mergeEntries({
    connection: params.envVars,
    client: open.clientEnvVars,
    connectionType,
    // Step 10: with mode=embedded the agent's environment wins, except over variables that identify the
    // session.
    embedded: embedded ? agentEnvironment.all() : new Map<string, string>(),
    own: new Map([...hoopVariables(open), ['RUNBOOK_AGENT_INSTANCE', folder.instance]]),
    secrets: new SessionSecrets({ agentEnvironment, secretStores }, ended),
  })
  // This variable is for the agent, not for the command.
  const entries = merged.entries.filter(({ name }) => name !== CLIENT_ESCAPES)
  const cmdList = merged.usesRdsToken ? forRdsToken(params.cmdList, connectionType) : params.cmdList
  const argv = [...cmdList, ...params.clientArgs]
  if (argv.length === 0) throw new RefusedError('connection must be at least one argument')
  await checkServer(connectionType, (name) => valueOf(entries, name))
  return {
    connection: params.connectionName,
    argv,
    program: params.cmdList[0] ?? '',
    entries,
    redactable: forRedaction(entries, params),
    captured: params.clientOrigin.startsWith('client-api'),
    masking: await maskingFor(open, services),
    restricted: restricted && { ...restricted, ownArguments: cmdList.length - 1 },
    guardrails,
    policy,
    clientArguments: params.clientArgs.length,
  }
}

/**
 * If the gateway calls a variable plain, the variable is treated like a client's: only its name can make it
 * secret.
 */
function forRedaction(entries: readonly Entry[], { plainEnvVars = [] }: ConnectionParams): readonly Entry[] {
  const plain = new Set(plainEnvVars)
  const isPlain = ({ kind, name, origin }: Entry) =>
    kind === 'envvar' && origin === 'connection' && plain.has(name)
  return entries.map((entry) =>
    isPlain(entry) ? new Entry(entry.kind, entry.name, entry.value, 'client') : entry,
  )
}

/** @throws RefusedError if the owner's policy does not allow the session */
function allowing({ params, clientEnvVars }: OpenMessage, services: CheckServices): OwnerPolicy | undefined {
  const policy = services.policy?.current
  policy?.checkSession(params)
  const [program] = [...params.cmdList, ...params.clientArgs]
  if (program !== undefined) policy?.checkProgram(program, programSearch(services))
  policy?.checkVariables(params.envVars.keys(), clientEnvVars.keys())
  return policy
}

/** Loads the masking engines only for a session that needs them. */
async function maskingFor(
  { sid, params }: OpenMessage,
  { masking, log }: Pick<CheckServices, 'masking' | 'log'>,
): Promise<SessionMasking | undefined> {
  if (!asksForMasking(params)) return undefined
  const { loadMasking } = await import('../masking/session-masking.ts')
  return await loadMasking(params, masking, { log, session: { sid, connection: params.connectionName } })
}

/**
 * Whether the client's side opens a port. If the agent does not serve the protocol, it refuses the opening.
 * Otherwise hoop's command line would say that the port is ready, and only the first packet would fail.
 */
export function asksForPort({ params, connectionType, wantsTerminal }: OpenMessage): boolean {
  return params.clientVerb === 'connect' && connectionType !== 'command-line' && wantsTerminal !== true
}

/** hoop's gateway refuses `exec` for these types, and refers people to `connect`. */
const WITHOUT_EXEC: ReadonlySet<string> = new Set(['tcp', 'ssh'])

function noNativeConnection({ params, connectionType }: OpenMessage): string {
  return `this agent serves no native connections (${connectionType}): ${insteadOf(params, connectionType)}`
}

function insteadOf({ connectionName: name, cmdList }: OpenMessage['params'], type: string): string {
  if (cmdList.length === 0)
    return `${name} has no command for scripts or a terminal either. It needs hoop's own agent`
  const terminal = `runbook-agent connect ${name} opens a terminal`
  return WITHOUT_EXEC.has(type)
    ? `${terminal} with the command of the connection. For a local port use hoop's own agent. For scripts use a connection of type command-line, because the gateway allows no exec for type ${type}`
    : `hoop exec ${name} runs scripts on it, ${terminal}. For a local port it needs hoop's own agent`
}

const CLEARTEXT = '--enable-cleartext-plugin'

/**
 * MySQL's client sends a token only with the option for clear text. RDS accepts tokens only over TLS (step
 * 7).
 */
function forRdsToken(cmdList: readonly string[], connectionType: string): readonly string[] {
  return connectionType === 'mysql' && !cmdList.includes(CLEARTEXT) ? [...cmdList, CLEARTEXT] : cmdList
}

/** Step 9: these variables override variables of the connection and the client. */
function hoopVariables({ sid, params }: OpenMessage): ReadonlyMap<string, string> {
  return new Map([
    ['HOOP_CONNECTION_NAME', params.connectionName],
    ['HOOP_CONNECTION_TYPE', params.connectionType],
    ['HOOP_CLIENT_ORIGIN', params.clientOrigin],
    ['HOOP_CLIENT_VERB', params.clientVerb],
    ['HOOP_USER_ID', params.userId],
    ['HOOP_USER_EMAIL', params.userEmail],
    ['HOOP_SESSION_ID', sid],
  ])
}

function valueOf(entries: readonly Entry[], name: string): string | undefined {
  return entries.find((entry) => entry.name === name && entry.kind === 'envvar')?.value.toString('utf8')
}
