import { readdirSync } from 'node:fs'
import path from 'node:path'
import { waitFor } from '../support/wait.ts'
import type { Outcome } from './load.ts'
import { AGENTS, type Job } from './plan.ts'
import {
  commandLine,
  descriptors,
  environment,
  pids,
  workingFolder,
  type Descriptors,
  textOf,
} from '../support/machine/proc.ts'
import { PATIENCE_MS, type Process } from './process.ts'
import { readHistory, readJournal, type Recorded } from './records.ts'
import type { Site } from './site.ts'

// What must hold after every round, whatever happened in it. A violation is a line; no line is a good round.

/** Where the history has 254: "no exit code could be had". */
const NO_CODE = 254
/** How long what belongs to an ended session may still be there: the agent's ways out, and the gateway's patience with it. */
const GONE_MS = PATIENCE_MS

/** What is true of a site's rounds so far. */
export class Ledger {
  readonly outcomes: Outcome[] = []
  /** Sessions as they were recorded when they were seen first. */
  readonly recorded = new Map<string, Recorded>()
  /** Jobs whose end was told to their clients and found in the history. */
  readonly ends = new Set<string>()
  /** Sessions whose close was confirmed to their agent, likewise. */
  readonly closes = new Set<string>()
}

/** Nothing is open that does not run: by now nothing runs. */
export async function openSessions({ rest }: Site): Promise<string[]> {
  let open: string[] = []
  const look = async (): Promise<boolean> => {
    const { body } = await rest.ask('GET', '/api/sessions?limit=100')
    const { data } = body as { readonly data: readonly { readonly id: string; readonly status: string }[] }
    open = data.filter(({ status }) => status !== 'done').map(({ id }) => id)
    return open.length === 0
  }
  await waitFor(look, GONE_MS).catch(() => undefined)
  return open.map((id) => `session ${id} is open, and nothing runs`)
}

export async function leftProcesses({ mark }: Site): Promise<string[]> {
  const look = (): string[] => pids().filter((pid) => commandLine(pid).includes(mark))
  await waitFor(() => look().length === 0, GONE_MS).catch(() => undefined)
  return look().map(isLeft)
}

/** Folders of sessions with secret files, while the agents run. */
export async function leftFiles({ place }: Site): Promise<string[]> {
  const look = (): string[] => entries(place.at('runtime')).filter((name) => /\/s-[^/]*$/.test(name))
  await waitFor(() => look().length === 0, GONE_MS).catch(() => undefined)
  return look().map((name) => `secret files are left: ${name}`)
}

/** None is held that was not held before, by a process that has lived through the round. */
export async function leftDescriptors(process: Process, before: Descriptors): Promise<string[]> {
  const more = (): string[] =>
    [...descriptors(process.pid)]
      .filter(([kind, count]) => count > (before.get(kind) ?? 0))
      .map(([kind, count]) => `${kind} (${count}, were ${before.get(kind) ?? 0})`)
  await waitFor(() => process.hasEnded || more().length === 0, GONE_MS).catch(() => undefined)
  return process.hasEnded ? [] : more().map((kind) => `${process.name} holds more descriptors: ${kind}`)
}

/** A process ends when it is told to, and else never. */
export function ownEnds({ slots }: Site): string[] {
  return slots
    .flatMap(({ processes }) => processes)
    .filter(({ ownEnd }) => ownEnd !== undefined)
    .map(({ name, ownEnd, errors }) => `${name} ended by itself (${ownEnd}): ${errors.slice(-500)}`)
}

/** After all have stopped: what a stopped gateway and its agents may not leave. */
export function leftByAll({ place }: Site): string[] {
  const files = [...entries(place.at('runtime')), ...entries(place.at('scratch'))]
    // The folder of all agents of a user stays.
    .filter((name) => !/^runbook-agent-\d+$/.test(name))
    // So does, for an hour, the empty folder of an agent that was killed before it wrote the owner file. A
    // file in this folder is an entry of its own.
    .filter((name) => !/^runbook-agent-\d+\/\.new-[\da-f-]{36}$/.test(name))
    .map((name) => `${name} is left`)
  const processes = pids().filter((pid) => workingFolder(pid).startsWith(place.path))
  return [...files, ...processes.map(isLeft)]
}

function isLeft(pid: string): string {
  return `process ${pid} is left: ${commandLine(pid).replaceAll('\0', ' ')}`
}

export function ranTwice({ outcomes }: Ledger): string[] {
  return outcomes
    .filter((outcome) => outcome.runs().length > 1)
    .map((outcome) => `${outcome.mark} ran more than once, in ${outcome.runs().join(', ')}`)
}

/** The history after the gateway has stopped, against all that clients and agents were told. */
export function recordedEnds(site: Site, ledger: Ledger): string[] {
  const { integrity, sessions } = readHistory(site.state('gateway'))
  const byId = new Map(sessions.map((session) => [session.id, session]))
  return [
    ...(integrity === 'ok' ? [] : [`integrity check: ${integrity}`]),
    ...sessions
      .filter(({ status }) => status !== 'done')
      .map(({ id }) => `session ${id} is recorded as open`),
    ...unchanged(byId, ledger),
    ...recordedOnce(sessions),
    ...ledger.outcomes.flatMap((outcome) => answerIsRecorded(outcome, byId, ledger)),
    ...AGENTS.flatMap((agent) => closesAreRecorded(site, agent, byId, ledger)),
  ]
}

/** What was recorded once is there ever after, as it was. */
function unchanged(byId: ReadonlyMap<string, Recorded>, { recorded }: Ledger): string[] {
  const changes = [...recorded].flatMap(([id, before]) => {
    const now = byId.get(id)
    if (now === undefined) return [`session ${id} is not in the history any more`]
    if (JSON.stringify(now) === JSON.stringify(before)) return []
    return [`the record of session ${id} has changed: ${summary(before)}, now ${summary(now)}`]
  })
  for (const session of byId.values()) if (!recorded.has(session.id)) recorded.set(session.id, session)
  return changes
}

function recordedOnce(sessions: readonly Recorded[]): string[] {
  const seen = new Map<string, string>()
  return sessions.flatMap(({ id, correlationId }) => {
    if (correlationId === null) return []
    const other = seen.get(correlationId)
    seen.set(correlationId, id)
    return other === undefined ? [] : [`one request, two sessions: ${other} and ${id}`]
  })
}

function answerIsRecorded(outcome: Outcome, byId: ReadonlyMap<string, Recorded>, ledger: Ledger): string[] {
  const { answer, mark, job } = outcome
  if (answer === undefined) return []
  const id = outcome.sessionId ?? outcome.runs()[0]
  const session = id === undefined ? undefined : byId.get(id)
  const told = `${mark} (${job.kind}, session ${id}) was told code ${answer.exitCode}`
  if (session === undefined) return [`${told}, and the history does not have it`]
  const code = answer.exitCode === -2 ? NO_CODE : answer.exitCode
  if (session.exitCode !== code) return [`${told}, recorded is ${summary(session)}`]
  if (answer.whole && answer.output !== session.output)
    return [`${told} with ${answer.output?.length} characters, recorded is ${summary(session)}`]
  if (answer.exitCode === job.code && !isWhole(session, job))
    return [
      `${told}, and of its output is missing what ${job.lines} lines would be: recorded is ${summary(session)}`,
    ]
  ledger.ends.add(mark)
  return []
}

/** All that the script has printed, or the record says that some is missing. */
function isWhole({ output, truncatedBytes }: Recorded, { lines }: Job): boolean {
  if (truncatedBytes > 0) return true
  return (output.match(/^line \d+ \.+\r?$/gm) ?? []).length === lines && /^done\r?$/m.test(output)
}

/** Closes that the gateway has confirmed, unless it had ended the session by itself at that moment. */
function closesAreRecorded(
  site: Site,
  agent: (typeof AGENTS)[number],
  byId: ReadonlyMap<string, Recorded>,
  ledger: Ledger,
): string[] {
  const lines = readJournal(site.state(agent))
  const confirmed = new Set(lines.filter(({ event }) => event === 'confirmed').map(({ sid }) => sid))
  // On a full disk the record may lack the words that say so.
  const killed = new Set(ledger.outcomes.filter(({ ended }) => ended).flatMap((outcome) => outcome.runs()))
  return lines
    .filter(({ event, sid, reason }) => event === 'ended' && reason === undefined && confirmed.has(sid))
    .flatMap(({ sid = '', exitCode }) => {
      const session = byId.get(sid)
      const is = session?.exitCode
      ledger.closes.add(sid)
      const isTheGateways = killed.has(sid) || endedByGateway(session?.output ?? '')
      if (is === exitCode || (is === NO_CODE && isTheGateways)) return []
      return [
        `the gateway has confirmed the close of ${sid} with code ${exitCode}, recorded is ${summary(session)}`,
      ]
    })
}

function endedByGateway(output: string): boolean {
  return /killed by the user|gateway shutdown|agent has disconnected|the client has left/.test(
    output.slice(-300),
  )
}

function summary(session: Recorded | undefined): string {
  if (session === undefined) return 'nothing'
  const { status, exitCode, output, endedAt } = session
  return `${status}, code ${exitCode}, at ${endedAt}, ${output.length} characters ending in ${JSON.stringify(output.slice(-120))}`
}

/** In answers, logs, journals, histories and whatever else lies in a folder that is not given to the program. */
export function secretsShown(site: Site, outcomes: readonly Outcome[]): string[] {
  const { place, secrets } = site
  const folders = ['logs', 'runs', 'runtime', 'scratch', 'home'].map((name) => place.at(name))
  const states = [site.state('gateway'), ...AGENTS.map((name) => site.state(name))]
  const texts = [
    ...outcomes.map(({ mark, received }) => ({ where: `the answer to ${mark}`, text: received })),
    ...[...folders, ...states].flatMap((folder) =>
      entries(folder).map((name) => ({
        where: path.join(folder, name),
        text: textOf(path.join(folder, name)),
      })),
    ),
  ]
  return texts.flatMap(({ where, text }) => {
    const shown = secrets.foundIn(text)
    return shown === undefined ? [] : [`${where} shows ${shown}`]
  })
}

/** In arguments of any process, and in variables of one that belongs to no session. */
export function secretsInProc({ secrets }: Site): string[] {
  return pids().flatMap((pid) => {
    const [name, variables] = [commandLine(pid), environment(pid)]
    const mayHave = variables.includes('HOOP_SESSION_ID=') || variables.includes('HOOP_TOKEN=')
    const shown = secrets.foundIn(mayHave ? name : name + variables)
    return shown === undefined ? [] : [`process ${pid} (${name.slice(0, 60)}) shows ${shown}`]
  })
}

/** Names below a folder. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map(String)
  } catch {
    return []
  }
}
