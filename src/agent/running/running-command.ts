import { createEntry, type Entry } from '../../envvars/entries/entry.ts'
import { Environment, type EnvironmentRequest } from '../../envvars/environment.ts'
import type { Command } from '../../runtime/child.ts'
import { execute } from '../../runtime/engine.ts'
import type { Execution } from '../../runtime/execution.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import { closeCommand, closeScript } from '../opening/client-escapes.ts'
import { closing, closingUnstarted, notRun, type Ended } from './closing.ts'
import type { CommandOwner } from './command-owner.ts'
import { ExecutionGroup } from './execution-group.ts'
import { OutputForwarder } from '../output/output-forwarder.ts'
import { redactionFor } from '../output/redaction.ts'
import { RefusedError } from '../refused.ts'
import type { CommandRequest } from '../opening/request.ts'
import type { SessionReply, SessionServices } from './session-services.ts'

/** What sets a session going: a script, or the first key on a terminal. */
export type Start = { readonly kind: 'script'; readonly stdin: Buffer } | { readonly kind: 'terminal' }

/**
 * Runs the command of a session. When it returns, processes and secret files are gone and the slot is free.
 * @throws RefusedError, EnvvarError or RuntimeFolderError when it cannot be started
 */
export async function runCommand(
  request: CommandRequest,
  asked: Start,
  owner: CommandOwner,
  { services, reply }: { readonly services: SessionServices; readonly reply: SessionReply },
): Promise<Ended> {
  const { folder, inherited, slots } = services
  using slot = slots.take()
  if (slot === undefined) throw new RefusedError(slots.full)
  const { entries, start } = prepared(request, asked)
  await using held = await hold({ entries, inherited, folder, sessionId: owner.sid }, services)
  const { environment } = held
  const expanded = commandOf(environment.expand(request.argv), environment, start, services)
  const command = await closeCommand(request.closed, expanded, owner.sid, services)
  if (owner.endReason !== undefined) return notRun(closingUnstarted(owner.endReason), 'not-started')
  await using group = new ExecutionGroup(owner, services)
  await using execution = await launch(command, { start, program: request.program }, owner, services)
  await group.add(execution.pid)
  return await follow({ execution, group }, request, owner, { services, reply })
}

/** Script and variables as the command gets them. */
function prepared(
  { entries, closed }: CommandRequest,
  start: Start,
): { readonly entries: readonly Entry[]; readonly start: Start } {
  if (start.kind === 'terminal') return { entries: onTerminal(entries), start }
  if (closed === undefined) return { entries, start }
  const { script, entries: handed } = closeScript(closed, start.stdin, entries)
  return { entries: handed, start: { kind: 'script', stdin: script } }
}

/** The environment, and its files for as long as it is held. */
async function hold(
  request: EnvironmentRequest,
  { log }: SessionServices,
): Promise<AsyncDisposable & { readonly environment: Environment }> {
  const environment = await Environment.create(request)
  // The command has run, whatever becomes of its files: a success does not become a failure. The agent's end tries again.
  const complain = (error: unknown) =>
    log.error({ sid: request.sessionId, error: (error as Error).message }, 'secret files of a session stay')
  return {
    environment,
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose]().catch(complain),
  }
}

function commandOf(
  argv: readonly Buffer[],
  environment: Environment,
  start: Start,
  { inherited, cwd }: SessionServices,
): Command {
  return {
    argv,
    environment: environment.block,
    path: inherited.get('PATH') ?? '',
    cwd,
    stdin: start.kind === 'script' ? start.stdin : NO_PAYLOAD,
  }
}

async function launch(
  command: Command,
  { start, program }: { readonly start: Start; readonly program: string },
  owner: CommandOwner,
  { engine, folder, settings, record, log }: SessionServices,
): Promise<Execution> {
  const { sid, keyboard } = owner
  const terminal = start.kind === 'terminal'
  if (terminal) await keyboard.sized()
  const execution = await execute(engine, command, {
    graceMs: settings.killGraceMs,
    background: settings.background,
    instance: folder.instance,
    marker: `HOOP_SESSION_ID=${sid}`,
    ...(terminal && { terminal: keyboard.size }),
  })
  owner.running(execution)
  const { pid } = execution
  if (pid === undefined) return execution
  log.info({ sid, pid, terminal }, 'execution started')
  const counts = { argumentCount: command.argv.length - 1, inputBytes: command.stdin.length }
  record({ event: 'started', sid, pid, program, ...counts, terminal })
  return execution
}

/** Brings the output to the gateway until the command has ended, and says how it did. */
async function follow(
  { execution, group }: { readonly execution: Execution; readonly group: ExecutionGroup },
  { secrets, captured, unmasked }: CommandRequest,
  owner: CommandOwner,
  { services, reply }: { readonly services: SessionServices; readonly reply: SessionReply },
): Promise<Ended> {
  const { settings, tails, log } = services
  const { sid } = owner
  const from = performance.now()
  using forwarder = new OutputForwarder(sid, reply, {
    capBytes: captured ? settings.outputCapBytes : 0,
    tails,
    gate: owner.gate,
    redaction: captured ? redactionFor(secrets, settings.secretNames, log) : undefined,
    unmasked,
    overflowed: () => (settings.onCap === 'kill' ? owner.end('output-limit') : undefined),
  })
  using limit = timeLimit(settings.maxDurationMs, () => owner.end('timeout'))
  // The gateway drops what comes after its close; the command is still read, so that it can end.
  await forwarder.forward(execution.output, () => owner.endReason === 'closed-by-gateway')
  limit[Symbol.dispose]()
  const status = await execution.exit
  const { processesEnded } = execution
  if (processesEnded > 0) log.info({ sid, processes: processesEnded }, 'background processes ended')
  const end = { status, reason: owner.endReason, processesEnded }
  const { exitCode, message } = closing({ ...end, outOfMemory: group.outOfMemory(end) })
  return {
    exitCode,
    message: forwarder.onOwnLine(message),
    outcome: status.kind,
    ...(status.kind === 'signaled' && { signal: status.signal }),
    durationMs: Math.round(performance.now() - from),
    bytes: forwarder.bytes,
    processesEnded,
  }
}

function timeLimit(ms: number | undefined, reached: () => void): Disposable {
  const timer = ms === undefined ? undefined : setTimeout(reached, ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Always this one, whatever the connection says (protocol.md 5.3). */
const TERM = createEntry('envvar:TERM', Buffer.from('xterm-256color'), 'agent')

function onTerminal(entries: readonly Entry[]): Entry[] {
  return [...entries.filter(({ name }) => name !== TERM.name), TERM]
}
