import { askStatus, NoAnswer } from '../../operations/status-socket.ts'
import { oneLine } from '../../basics/text/printable.ts'
import { formatStatus, isReady, parseStatus, type Status } from '../../operations/status.ts'
import { exitCodes, Failure } from '../failure.ts'
import { statusTable } from './status-table.ts'

const ANSWER_MS = 2000
/** Sockets that are asked at the same time. Each takes a descriptor. */
const MAX_SOCKETS = 64

export interface StatusFlags {
  readonly json?: boolean
  /** The only socket to ask. */
  readonly socket?: string
}

interface Output {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

const terminal: Output = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
}

/**
 * `runbook-agent status`: asks the agents of this machine that this user may ask.
 * @param socketPaths finds their sockets
 * @returns the exit code: 0 when every agent that answers serves (or polls: mode=embedded), else 1
 * @throws Failure when none answers
 */
export async function statusCommand(
  flags: StatusFlags,
  socketPaths: () => readonly string[],
  output = terminal,
): Promise<number> {
  const paths = flags.socket === undefined ? socketPaths().slice(0, MAX_SOCKETS) : [flags.socket]
  const replies = await Promise.all(paths.map(ask))
  const answered = replies.filter((reply) => 'status' in reply)
  const failed = replies.filter((reply) => 'reason' in reply)
  if (answered.length === 0) throw nobody(flags, failed)
  for (const { path, reason } of failed.filter(({ isGone }) => !isGone)) {
    output.stderr(`runbook-agent: ${oneLine(path)}: ${reason}\n`)
  }
  output.stdout(
    flags.json === true
      ? answered.map(({ status }) => `${formatStatus(status)}\n`).join('')
      : answered.map(({ status }) => statusTable(status)).join('\n'),
  )
  return answered.every(({ status }) => isReady(status)) ? exitCodes.done : 1
}

type Reply =
  | { readonly path: string; readonly status: Status }
  | { readonly path: string; readonly reason: string; readonly isGone: boolean }

async function ask(path: string): Promise<Reply> {
  try {
    const line = await askStatus(path, ANSWER_MS)
    const status = parseStatus(line)
    if (status !== undefined) return { path, status }
    return { path, reason: 'no agent of this version answers there', isGone: false }
  } catch (error) {
    if (error instanceof NoAnswer) return { path, reason: error.message, isGone: error.isGone }
    throw error
  }
}

function nobody({ socket }: StatusFlags, failed: readonly Extract<Reply, { reason: string }>[]): Failure {
  const worth = failed.filter(({ isGone }) => socket !== undefined || !isGone)
  const reasons = worth.map(({ path, reason }) => `${oneLine(path)}: ${reason}`).join('; ')
  return new Failure(
    reasons === ''
      ? 'no agent of this user runs here. Run this as the user of the agent, or name its socket with --socket'
      : `no agent answers: ${reasons}`,
    exitCodes.unreachable,
  )
}
