import { EnvvarError } from '../../envvars/errors.ts'
import { mergeEntries } from '../../envvars/merge.ts'
import { SessionSecrets } from '../../envvars/secrets/stores.ts'
import type { OpenMessage } from '../../wire/messages/message.ts'
import { asksForMasking } from '../masking/masking-result.ts'
import { checkServer } from '../opening/liveness.ts'
import { asksForPort, type CheckServices } from '../opening/request.ts'
import { readRules } from '../policy/guardrails.ts'
import { type OwnerPolicy, programSearch } from '../policy/owner-policy.ts'
import { RefusedError } from '../refused.ts'
import { NativeError } from './native-error.ts'
import { ServerSocket } from './server-socket.ts'
import { mysqlProtocol } from './mysql/mysql.ts'
import { postgresProtocol } from './postgres/postgres.ts'
import { tcpProtocol } from './tcp.ts'
import type { NativeProtocol, RawClient, Target } from './protocol.ts'
import { SessionRules } from './rules/session-rules.ts'

const PROTOCOLS = {
  tcp: tcpProtocol,
  postgres: postgresProtocol,
  mysql: mysqlProtocol,
} as const satisfies Record<string, (target: Target) => NativeProtocol<RawClient>>
type Served = keyof typeof PROTOCOLS
/** Types whose statements are checked by rules and whose results are masked. */
const JUDGED: ReadonlySet<string> = new Set<Served>(['postgres', 'mysql'])

export function isForNativeClients(open: OpenMessage): boolean {
  return asksForPort(open) && isServed(open.connectionType)
}

export interface Opened {
  readonly type: Served
  readonly protocol: NativeProtocol<RawClient>
  /** Undefined if neither rules nor masking apply. */
  readonly rules: SessionRules | undefined
}

/**
 * @throws RefusedError or EnvvarError; the session is then closed with the error's message
 * @throws the signal's reason
 */
export async function openNative(
  open: OpenMessage,
  services: CheckServices,
  ended: AbortSignal,
): Promise<Opened> {
  const { connectionType: type, params } = open
  if (!isServed(type)) throw new RefusedError(`this agent serves no native connections of type ${type}`)
  checkPolicy(open, services)
  const rules = JUDGED.has(type) ? await SessionRules.of(open, services) : undefined
  const { agentEnvironment, secretStores, embedded, log } = services
  const { entries, newRdsToken } = await mergeEntries({
    connection: params.envVars,
    // The client's variables are left out, because a client must not choose the server.
    client: new Map(),
    connectionType: type,
    embedded: embedded ? agentEnvironment.all() : new Map<string, string>(),
    own: new Map(),
    secrets: new SessionSecrets({ agentEnvironment, secretStores }, ended),
  })
  const variables = new Map(entries.map(({ name, value }) => [name, value.toString('utf8')]))
  const variable = (name: string) => variables.get(name)
  const address = await checkServer(type, variable)
  if (address === undefined)
    throw new RefusedError(`the server's address is unknown for connections of type ${type}`)
  const dial = (gone: AbortSignal) => ServerSocket.dial(address, gone, { isRaw: type === 'tcp' })
  const account = accountOf(variable, newRdsToken)
  return { type, rules, protocol: PROTOCOLS[type]({ address, variable, account, dial, rules, log }) }
}

function accountOf(
  variable: Target['variable'],
  newRdsToken: ((ended: AbortSignal) => Promise<string>) | undefined,
): Target['account'] {
  const user = variable('USER') ?? ''
  const password = variable('PASS') ?? ''
  return async (gone) => {
    if (newRdsToken === undefined) return { user, password }
    try {
      return { user, password: await newRdsToken(gone) }
    } catch (error) {
      if (error instanceof EnvvarError || gone.aborted)
        throw new NativeError('server', (error as Error).message)
      throw error
    }
  }
}

function isServed(type: string): type is Served {
  return Object.hasOwn(PROTOCOLS, type)
}

/** @throws RefusedError if the server's owner forbids the session, or rules or masking cannot be enforced */
function checkPolicy({ params, connectionType: type }: OpenMessage, services: CheckServices): void {
  const policy = services.policy?.current
  policy?.checkSession(params)
  // Native clients start no program. But if the owner lists programs, the program of the database must be in
  // the list.
  policy?.checkProgram(params.cmdList[0] ?? '', programSearch(services))
  policy?.checkVariables(params.envVars.keys(), [])
  if (JUDGED.has(type)) return
  refuseRules(params.guardRailRules, policy, type)
  if (asksForMasking(params)) throw new RefusedError(unenforced('data masking rules', 'masking', type))
}

function refuseRules(payload: Buffer = Buffer.alloc(0), policy: OwnerPolicy | undefined, type: string): void {
  const { input, output } = readRules(payload)
  if ([...input, ...output].some(({ rules }) => rules.length > 0))
    throw new RefusedError(unenforced('guardrail rules', 'guardrail', type))
  if (policy?.rules.input !== undefined || policy?.rules.output !== undefined)
    throw new RefusedError(
      `native connections of type ${type} are not allowed: the agent's guardrail rules (policy.input-rules, policy.output-rules) cannot be enforced on them; use a connection of another type`,
    )
}

/**
 * Begins with hoop's words, because people search for them. hoop's text also recommends exec, which every
 * gateway refuses for this type.
 */
function unenforced(what: string, enforcement: string, type: string): string {
  const remove = enforcement === 'guardrail' ? 'the guardrails' : 'the masking'
  return `connection has ${what} configured, but the native ${type} proxy does not support ${enforcement} enforcement; remove ${remove} from this connection, or use a connection of another type`
}
