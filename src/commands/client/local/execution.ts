import { randomUUID } from 'node:crypto'
import { checkRequest } from '../../../agent/opening/request.ts'
import type { Ending } from '../../../agent/running/ending.ts'
import { RunningCommand } from '../../../agent/running/running-command.ts'
import { type LocalServices, openLocalServices } from './services.ts'
import type { StreamEnd } from '../../../client/running/session-end.ts'
import type { Chunk } from '../../../runtime/output/child-output.ts'
import { openMessage } from '../../../gateway/sessions/session-request.ts'
import type { OpenMessage, SessionId } from '../../../wire/messages/message.ts'
import { ByteOutput, isAfterUnfinishedLine, ReaderGone } from '../terminal/byte-output.ts'
import { reportEnd } from '../report/end-report.ts'
import { exitCodeOfSignal } from '../../failure.ts'
import { endBySignal, Leaving, type LeavingSignal } from '../terminal/leaving.ts'
import { type NoticeFlags, Notices } from '../report/notices.ts'
import { type LocalConnection, localConnection } from './connection.ts'
import type { ExecFlags } from '../stream/exec.ts'
import { readScript } from '../stream/script-input.ts'
import { readVariables } from '../input/pairs.ts'

interface LocalRequest extends LocalConnection {
  readonly script: Buffer
  /** `envvar:NAME` to base64. */
  readonly envVars: ReadonlyMap<string, string>
}

/**
 * Runs a script in this process as an agent runs it for a person, and shows the output as it comes. When it returns,
 * processes and secret files are gone.
 * @returns the exit code of this program
 * @throws Failure when it cannot be started here
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

/** A command as the agent runs it, with this program instead of a gateway. */
class LocalExecution {
  readonly #request: LocalRequest
  readonly #notices: Notices
  readonly #outputs = { stdout: new ByteOutput(1), stderr: new ByteOutput(2) }
  /** The error of the output that cannot be written. */
  #failure: Error | undefined
  /** Set when the user leaves. This program then no longer waits for output that is stuck. */
  #leftBy: LeavingSignal | undefined
  #overdue: () => void = () => undefined
  readonly #isOverdue = new Promise<void>((resolve) => (this.#overdue = resolve))

  constructor(request: LocalRequest, flags: NoticeFlags) {
    this.#request = request
    this.#notices = new Notices(this.#outputs.stderr, flags)
  }

  /** @returns the exit code of this program */
  async run(services: LocalServices): Promise<number> {
    const user = process.env['USER'] ?? 'local'
    const sid = randomUUID() as SessionId
    const open = openMessage(sid, { ...this.#request, origin: 'client', verb: 'exec', user })
    const command = new RunningCommand(sid, services)
    using leaving = new Leaving({
      end: () => command.end('agent-stopping'),
      overdue: (signal) => {
        this.#leftBy = signal
        this.#overdue()
      },
    })
    const ending = await this.#ending(open, command, services).catch((error: unknown) =>
      command.notRun(error as Error),
    )
    if (this.#failure instanceof ReaderGone) return exitCodeOfSignal('SIGPIPE')
    if (this.#failure !== undefined) throw this.#failure
    return leaving.exitCode ?? (await this.#tell(ending, sid))
  }

  async #ending(open: OpenMessage, command: RunningCommand, services: LocalServices): Promise<Ending> {
    const request = await checkRequest(open, services, command.signal)
    const start = { kind: 'script', stdin: this.#request.script } as const
    return await command.run({ request, start }, (chunk) => this.#show(chunk, command))
  }

  /** Ends the process when a write is stuck: it would keep Node from exiting. */
  endIfStuck(): void {
    const { stdout, stderr } = this.#outputs
    if (this.#leftBy !== undefined && (stdout.isWriting || stderr.isWriting)) endBySignal(this.#leftBy)
  }

  async #tell(ending: Ending, sessionId: string): Promise<number> {
    const { stdout, stderr } = this.#outputs
    const subject = {
      connection: this.#request.connection.name,
      verb: 'exec',
      address: '',
      sessionId,
    } as const
    const report = reportEnd(endOf(ending), subject)
    await this.#notices.say(report, isAfterUnfinishedLine(stdout, stderr))
    return report.exitCode
  }

  /**
   * Shows a piece of output. When it cannot be written, the command is ended, as with a gateway that no longer reads.
   */
  async #show({ stream, data }: Chunk, command: RunningCommand): Promise<void> {
    const output = this.#outputs[stream]
    if (this.#leftBy !== undefined && output.isWriting) return
    try {
      await Promise.race([output.write(data), this.#isOverdue])
    } catch (error) {
      this.#failure ??= error as Error
      command.end('closed-by-gateway')
    }
  }
}

/** The end as a gateway's client would see it. */
function endOf({ exitCode, message, bytes, blocked }: Ending): StreamEnd {
  return {
    kind: 'exited',
    exitCode,
    message,
    truncatedBytes: bytes.leftOut,
    isBlocked: blocked !== undefined,
  }
}

export interface ExecLocalFlags extends ExecFlags {
  /** gateway.yaml, which has the connection. */
  readonly config?: string
}

/** `exec --local`: without a gateway, in this process. @returns the exit code of this program @throws Failure */
export async function execLocalCommand(
  name: string,
  words: readonly string[],
  flags: ExecLocalFlags,
): Promise<number> {
  const local = localConnection(name, words, flags.config)
  const envVars = readVariables(flags.env ?? [])
  return executeHere({ ...local, envVars, script: await readScript(flags, words) }, flags)
}
