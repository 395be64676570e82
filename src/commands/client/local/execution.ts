import { randomUUID } from 'node:crypto'
import { checkRequest } from '../../../agent/opening/request.ts'
import type { CommandEnd } from '../../../agent/running/ending.ts'
import { RunningCommand } from '../../../agent/running/running-command.ts'
import type { CommandServices, SessionServices } from '../../../agent/running/services.ts'
import { findProxy } from '../../../basics/net/proxy.ts'
import { KILL_GRACE_MS } from '../../../basics/signals.ts'
import type { StreamEnd } from '../../../client/running/session-end.ts'
import { createLogger } from '../../../log.ts'
import { CompiledCache } from '../../../policy/compiled-cache.ts'
import type { Chunk } from '../../../runtime/child.ts'
import type { OpenMessage, SessionId } from '../../../wire/messages/message.ts'
import { WITHOUT_PROTECTION } from '../../../wire/params.ts'
import { exitCodeOfSignal, exitCodes, Failure } from '../../exit-codes.ts'
import { logSettings } from '../../long-running.ts'
import { COMMANDS_UMASK, openEngine, openFolder, sharedServices, sweep } from '../../start/services.ts'
import { readVariables } from '../input.ts'
import { reportEnd } from '../report/ending.ts'
import { type NoticeFlags, Notices } from '../report/notices.ts'
import type { ExecFlags } from '../stream/exec.ts'
import { readScript } from '../stream/script-input.ts'
import { ByteOutput, isAfterUnfinishedLine, ReaderGone } from '../terminal/output.ts'
import { endBySignal, Leaving, type LeavingSignal } from '../terminal/leaving.ts'
import { deferred } from '../../../basics/deferred.ts'

interface LocalRequest extends LocalConnection {
  readonly script: Buffer
  /** Maps `envvar:NAME` to the value in base64. */
  readonly envVars: ReadonlyMap<string, string>
}

/**
 * Runs a script in this process as an agent would. When it returns, the command's processes have ended and
 * its secret files are removed.
 * @throws Failure if the script cannot be started on this machine
 */
export async function executeHere(request: LocalRequest, flags: NoticeFlags): Promise<number> {
  const execution = new LocalExecution(request, flags)
  const exitCode = await serve(execution)
  execution.endIfStuck()
  return exitCode
}

async function serve(execution: LocalExecution): Promise<number> {
  await using services = await openLocalServices()
  return await execution.run(services)
}

/** The agent's code runs the command. This class takes the part of the gateway. */
class LocalExecution {
  readonly #request: LocalRequest
  readonly #notices: Notices
  readonly #outputs = { stdout: new ByteOutput(1), stderr: new ByteOutput(2) }
  /** The reason why output could not be written. */
  #failure: Error | undefined
  /** The signal after which the program does not wait for a stuck write. */
  #leftBy: LeavingSignal | undefined
  readonly #overdue = deferred()

  constructor(request: LocalRequest, flags: NoticeFlags) {
    this.#request = request
    this.#notices = new Notices(this.#outputs.stderr, flags)
  }

  async run(services: LocalServices): Promise<number> {
    const user = process.env['USER'] ?? 'local'
    const sid = randomUUID() as SessionId
    const open = this.#request.open(sid, { ...this.#request, user })
    const command = new RunningCommand(sid, services)
    using leaving = new Leaving({
      end: () => command.end('agent-stopping'),
      overdue: (signal) => {
        this.#leftBy = signal
        this.#overdue.resolve()
      },
    })
    const ending = await this.#ending(open, command, services).catch((error: unknown) =>
      command.notRun(error as Error),
    )
    if (this.#failure instanceof ReaderGone) return exitCodeOfSignal('SIGPIPE')
    if (this.#failure !== undefined) throw this.#failure
    return leaving.exitCode ?? (await this.#tell(ending, sid))
  }

  async #ending(open: OpenMessage, command: RunningCommand, services: LocalServices): Promise<CommandEnd> {
    const request = await checkRequest(open, services, command.signal)
    const start = { kind: 'script', stdin: this.#request.script } as const
    return await command.run({ request, start }, (chunk) => this.#show(chunk, command))
  }

  /** Ends the program by the signal if a write is stuck, because the write would keep Node from exiting. */
  endIfStuck(): void {
    const { stdout, stderr } = this.#outputs
    if (this.#leftBy !== undefined && (stdout.isWriting || stderr.isWriting)) endBySignal(this.#leftBy)
  }

  async #tell(ending: CommandEnd, sessionId: string): Promise<number> {
    const { stdout, stderr } = this.#outputs
    const subject = {
      connection: this.#request.name,
      verb: 'exec',
      address: '',
      sessionId,
    } as const
    const report = reportEnd(endOf(ending), subject)
    await this.#notices.say(report, isAfterUnfinishedLine(stdout, stderr))
    return report.exitCode
  }

  /**
   * Writes a piece of output. If this fails, the command is ended, as in an agent whose gateway no longer
   * reads.
   */
  async #show({ stream, data }: Chunk, command: RunningCommand): Promise<void> {
    const output = this.#outputs[stream]
    if (this.#leftBy !== undefined && output.isWriting) return
    try {
      await Promise.race([output.write(data), this.#overdue.promise])
    } catch (error) {
      this.#failure ??= error as Error
      command.end('closed-by-gateway')
    }
  }
}

/** Makes the end that a client of a gateway would get. */
function endOf({ exitCode, message, bytes, blocked }: CommandEnd): StreamEnd {
  return {
    kind: 'exited',
    exitCode,
    message,
    truncatedBytes: bytes.leftOut,
    isBlocked: blocked !== undefined,
  }
}

export interface ExecLocalFlags extends ExecFlags {
  /** The gateway.yaml with the connection. */
  readonly config?: string
}

/** Runs a script without a gateway (`exec --local`). @throws Failure */
export async function execLocalCommand(
  name: string,
  words: readonly string[],
  flags: ExecLocalFlags,
  find: FindConnection,
): Promise<number> {
  const local = await localConnection(name, words, flags.config, find)
  const envVars = readVariables(flags.env ?? [])
  return executeHere({ ...local, envVars, script: await readScript(flags, words) }, flags)
}

interface OpenRequest {
  readonly user: string
  readonly envVars: ReadonlyMap<string, string>
  readonly clientArgs: readonly string[]
}
/** Makes the message with which a gateway would open the session. */
type OpenSession = (sid: SessionId, request: OpenRequest) => OpenMessage
/** Finds a connection in the settings of a gateway. @throws Failure */
export type FindConnection = (name: string, config: string) => Promise<OpenSession>

interface LocalConnection {
  readonly name: string
  readonly open: OpenSession
  readonly clientArgs: readonly string[]
}

/**
 * Finds the connection. Without `config`, `words` is the whole command, and the name is only a label.
 * @throws Failure with exit code 64 if the command is missing
 */
export async function localConnection(
  name: string,
  words: readonly string[],
  config: string | undefined,
  find: FindConnection,
): Promise<LocalConnection> {
  if (config !== undefined) return { name, open: await find(name, config), clientArgs: words }
  if (words.length === 0)
    throw new Failure(
      `--local: the command is missing. Add the command (--local ${name} -- bash) or the settings of the gateway (--config gateway.yaml)`,
      exitCodes.usage,
    )
  return { name, open: (sid, request) => openCommand(sid, name, words, request), clientArgs: [] }
}

/** Returns the message for a command without variables, secrets, guardrails and masking. */
export function openCommand(
  sid: SessionId,
  connectionName: string,
  cmdList: readonly string[],
  { user, envVars, clientArgs }: OpenRequest,
): OpenMessage {
  const connectionType = 'command-line'
  return {
    kind: 'open',
    sid,
    connectionType,
    requestPort: '',
    clientEnvVars: envVars,
    params: {
      connectionName,
      connectionType,
      connectionSubType: '',
      userId: user,
      userEmail: user,
      envVars: new Map(),
      cmdList,
      clientArgs,
      clientVerb: 'exec',
      clientOrigin: 'client',
      ...WITHOUT_PROTECTION,
      dlpMode: 'best-effort',
      plainEnvVars: [],
    },
  }
}

const SETTINGS: CommandServices['settings'] = { killGraceMs: KILL_GRACE_MS, background: 'kill' }

type LocalServices = CommandServices &
  Pick<SessionServices, 'agentEnvironment' | 'secretStores' | 'embedded' | 'masking' | 'compiledGuardrails'>

/** Opens the same services as in an agent. @throws Failure if no folder is safe for secret files */
async function openLocalServices(): Promise<LocalServices & AsyncDisposable> {
  const { engine } = await openEngine()
  process.umask(COMMANDS_UMASK)
  const folder = await openFolder({ runtimeDir: process.env['RUNBOOK_AGENT_RUNTIME_DIR'] })
  // Only errors are logged, because the session's end already reports a refusal.
  const log = await createLogger(logSettings('error'))
  // This removes processes and files of earlier runs that were killed.
  await sweep({ folder, engine, graceMs: SETTINGS.killGraceMs, log })
  return {
    ...sharedServices({
      token: '',
      skipVerify: process.env['HOOP_TLS_SKIP_VERIFY'] === 'true',
      findProxy: () => findProxy(process.env),
      log,
    }),
    engine,
    folder,
    settings: SETTINGS,
    embedded: false,
    masking: {
      presidio: undefined,
      local: { replacement: { form: 'tag' }, refine: [] },
      compiled: new CompiledCache(),
    },
    [Symbol.asyncDispose]: () => folder.close(),
  }
}
