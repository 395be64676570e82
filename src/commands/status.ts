import { lstatSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { namesIn } from '../basics/files/access.ts'
import { oneLine } from '../basics/text/printable.ts'
import { durationText, sizeText } from '../basics/text/units.ts'
import { askStatus } from '../operations/status-socket.ts'
import { SOCKET_NAME } from '../operations/status-socket.ts'
import { isReady, activityWords } from '../operations/status.ts'
import { type Status, formatStatus, parseStatus } from '../operations/status.ts'
import { exitCodes, Failure } from './exit-codes.ts'

const ANSWER_MS = 2000
/** A limit is needed because each open socket needs a file descriptor. */
const MAX_SOCKETS = 64

export interface StatusFlags {
  readonly json?: boolean
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
 * Shows the agents on this machine that answer this user.
 * @param socketPaths finds the sockets of the agents
 * @returns the exit code: 1 unless every agent that answers is connected (with mode=embedded: polls)
 * @throws Failure if no agent answers
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
  const answer = await askStatus(path, ANSWER_MS)
  if ('reason' in answer) return { path, ...answer }
  const status = parseStatus(answer.line)
  if (status !== undefined) return { path, status }
  return { path, reason: 'the answer is not from an agent of this version', isGone: false }
}

function nobody({ socket }: StatusFlags, failed: readonly Extract<Reply, { reason: string }>[]): Failure {
  const worth = failed.filter(({ isGone }) => socket !== undefined || !isGone)
  const reasons = worth.map(({ path, reason }) => `${oneLine(path)}: ${reason}`).join('; ')
  return new Failure(
    reasons === ''
      ? 'no agent of your user runs on this machine. Run this command as the user of the agent; if the agent has a runtime-dir, set RUNBOOK_AGENT_RUNTIME_DIR or give its socket with --socket'
      : `no agent answers: ${reasons}`,
    exitCodes.unreachable,
  )
}

/** Makes one line per topic. */
function statusTable(status: Status): string {
  return lines(status)
    .map(([name, ...parts]) => `${name.padEnd(11)}${parts.filter((part) => part !== '').join(', ')}\n`)
    .join('')
}

function lines(status: Status): [string, ...string[]][] {
  const { connection, sessions, output } = status
  return [
    [
      'agent',
      oneLine(status.agent || 'unnamed'),
      `pid ${status.pid}`,
      `version ${oneLine(status.version)}`,
      `up ${durationText(status.uptimeSeconds)}`,
      `${status.engine} engine`,
    ],
    ['gateway', activityWords(status)],
    [
      'connection',
      `in this state since ${oneLine(connection.since)}`,
      `${connection.reconnects} reconnects`,
      health(status),
    ],
    [
      'sessions',
      `${sessions.running} running`,
      `limit ${sessions.limit}`,
      `${sessions.opened} opened`,
      tally(sessions.outcomes),
    ],
    [
      '',
      `ended by the agent: ${tally(sessions.reasons) || 'none'}`,
      `closes not confirmed: ${sessions.unconfirmed}`,
    ],
    ...outputLines(output),
    ['requests', `of the gateway itself: ${tally(status.systemRequests) || 'none'}`],
    ['leftovers', `${status.processesEnded} processes ended`],
    ['journal', `${status.journalLinesLost} lines lost`],
  ]
}

function outputLines(output: Status['output']): [string, ...string[]][] {
  return [
    [
      'output',
      `${sizeText(output.bytesRead)} read`,
      `${sizeText(output.bytesSent)} sent`,
      `${sizeText(output.bytesLeftOut)} left out`,
      `${sizeText(output.bytesRedacted)} redacted`,
    ],
    ['tails', `${sizeText(output.tailBytes)} in memory`],
  ]
}

function health({ connection: { health } }: Status): string {
  if (health === undefined) return 'no health check yet'
  return `last health check ${oneLine(health.at)} in ${Math.round(health.milliseconds)} ms`
}

function tally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${oneLine(name)}`)
    .join(', ')
}

const INSTANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Returns the folders in which agents create `runbook-agent-<uid>`. Agents of systemd's units use
 * `/run/runbook-agent`.
 */
function bases(): string[] {
  const { RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY } = process.env
  const named = [RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY?.split(':')[0]]
  return [...named, '/dev/shm', '/run/runbook-agent', tmpdir()].filter((base) => base !== undefined)
}

/** Finds the status sockets that this user may use, of all agents on this machine. */
export function socketPaths(): string[] {
  const users = [...new Set(bases())].flatMap((base) =>
    namesIn(base)
      .map((name) => path.join(base, name))
      .filter(isUserFolder),
  )
  return users.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => INSTANCE.test(name))
      .map((name) => path.join(folder, name, SOCKET_NAME)),
  )
}

/**
 * Accepts a folder only if it belongs to the user in its name, because other users can write to `/dev/shm`
 * and `/tmp`. Root sees the folders of all users.
 */
function isUserFolder(folder: string): boolean {
  const [, uid] = /^runbook-agent-(\d+)(?:-[A-Za-z0-9]{6})?$/.exec(path.basename(folder)) ?? []
  const self = process.geteuid?.() ?? 0
  if (uid === undefined || (self !== 0 && Number(uid) !== self)) return false
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === Number(uid)
}
