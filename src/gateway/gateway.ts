import { hostname } from 'node:os'
import path from 'node:path'
import { Locks, SessionLocks } from './locks/locks.ts'
import { Webhooks } from './webhooks/webhooks.ts'
import type { Upkeep } from './history/disk/upkeep.ts'
import type { History } from './history/history.ts'
import { LongWork } from './long-work.ts'
import { Opened } from '../basics/opened.ts'
import type { AuditLog } from './people/audit/audit-log.ts'
import { ChainChecks } from './people/audit/chain-checks.ts'
import type { Users } from './people/identities/users.ts'
import { openAuditLog, openPeople } from './people/open-people.ts'
import { openState } from './operating/restore.ts'
import { Agents } from './agents/agents.ts'
import { StateEpoch } from './agents/state-epoch.ts'
import { Batches } from './batches/batches.ts'
import { REVIEWS_KEY } from './operating/backup-format.ts'
import { auditFacts } from '../contract/audit-entry.ts'
import { CheckedChoices } from './executions/choices/checked-choices.ts'
import { ChoiceLists } from './executions/choices/choice-lists.ts'
import { Clients } from './clients/clients.ts'
import type { Linked } from './people/sign-in/one-time-codes.ts'
import { Executions } from './sessions/executions.ts'
import type { Logger } from '../basics/logger.ts'
import { currentJira } from './jira/client.ts'
import { IssueMoves } from './jira/moves.ts'
import { Tickets } from './jira/tickets.ts'
import { openSchedules } from './schedules/scheduled-run.ts'
import { listenOn } from './rest/listen.ts'
import { restServer } from './rest/server.ts'
import type { RestServices } from './rest/services.ts'
import { Repositories } from './runbooks/repositories.ts'
import { ApprovedRuns, type RunServices } from './reviews/approved-runs.ts'
import { AutomaticRuns } from './reviews/automatic-runs.ts'
import { Reviews } from './reviews/reviews.ts'
import { waitingEffects } from './reviews/waiting-effects.ts'
import { TerminalAccess } from './reviews/terminal-access.ts'
import { RequestVault } from './reviews/vault.ts'
import { checkRepositories, tellUnmatchedPaths } from './runbooks/start-check.ts'
import { Sessions } from './sessions/sessions.ts'
import { addressUrl, callerAddress } from '../basics/net/address.ts'
import { CurrentSettings, type GatewaySettings } from './settings/settings.ts'
import type { Examples } from './settings/examples.ts'
import { changedLines } from './settings/changed-entries.ts'
import { Reload, type ReloadReport, type GatewayFile } from './settings/reload.ts'
import { openMetrics } from './operating/monitoring.ts'
import { Transport } from './agents/transport.ts'
import { ServerCertificate } from './tls/certificates.ts'

/** Agents, clients, REST API, runbooks and history in one process. */
export interface Gateway {
  /** If the settings have port 0, this address has the port that the system has chosen. */
  readonly http: string
  readonly grpc: string
  readonly agents: Agents
  /** URL of `/metrics`, if the settings have an address for it. */
  readonly metrics: string | undefined
  readonly running: () => number
  readonly stopTimeoutMs: () => number
  /** @throws the errors of `Reload.run` */
  reload(): Promise<ReloadReport>
  /** Returns an address of the page that signs in one user once. The address is valid for two minutes. */
  signInLink(linked: Linked): string
  /**
   * Refuses new work, and waits until the running sessions end. The wait takes at most `stop-timeout`. After
   * the wait, the caller calls `close`.
   * @param over aborts the wait
   */
  drain(over: AbortSignal): Promise<void>
  /** Ends running sessions and records their ends. Agents stay connected. */
  endSessions(): Promise<void>
  /** Ends running sessions and records their ends, then closes everything. */
  close(): Promise<void>
}

interface GatewayOptions {
  /** `reload` reads the settings from here. */
  readonly source: GatewayFile
  readonly log: Logger
  readonly version: string
  readonly examples?: Examples | undefined
}

/**
 * After an error, nothing is left open.
 * @throws ForeignPathError, HistoryError, RunbookError or an error of listening
 */
export async function startGateway(first: GatewaySettings, options: GatewayOptions): Promise<Gateway> {
  const opened = new Opened()
  try {
    return await open(new CurrentSettings(first), options, opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}

/**
 * Opens the parts of the gateway. The parts close in reverse order, so sessions end while their agents and
 * the history are still open.
 */
async function open(
  settings: CurrentSettings,
  { source, log, version, examples }: GatewayOptions,
  opened: Opened,
): Promise<Gateway> {
  const { state, listen } = settings.value
  let http = ''
  const webUrl = () => settings.value.listen.publicUrl ?? reachableUrl(http)
  const linkTo = (sid: string) => `${webUrl()}/sessions/${sid}`
  const { history, upkeep, backups } = await openState(settings, { log, version }, opened)
  const base = { settings, history, log, webUrl, linkTo, callerAddress: callerAddress(listen.trustedProxies) }
  const audit = openAuditLog(base, version, opened)
  const repositories = openRepositories(settings, log, opened)
  const { users, tokens, directory, live, budgets, signIn, links } = openPeople({ ...base, audit }, opened)
  const agents = new Agents(settings, users.attempts)
  const tls = openCertificate(settings, log, opened)
  const reload = openReload(source, { ...base, repositories, users, agents, tls, audit })
  const { locks, turns, webhooks } = openAutomation(base, opened)
  const sessions = new Sessions({ ...base, agents, locks: turns, users, budgets })
  const lists = new ChoiceLists({ repositories, sessions, history })
  const choices = new CheckedChoices(lists, users)
  const { reviews, runs, access, vault } = openReviews({ ...base, users, sessions, choices }, state, opened)
  const { tickets, moves } = openIssues({ ...base, sessions }, opened)
  const batches = opened.own(new Batches({ ...base, users, reviews, runs, sessions, tickets, choices }))
  const clients = new Clients({ ...base, users, live, reviews, runs, access, sessions, tickets, audit })
  const transport = opened.own(
    new Transport({ ...base, agents, clients, epoch: new StateEpoch(history), tls }),
  )
  const grpc = { host: listen.grpc.host, port: await transport.listen(listen.grpc) }
  const condition = conditionOf({ sessions, history, upkeep, moves, webhooks, tls })
  const longWork = new LongWork()
  const services = {
    ...base,
    users,
    tokens,
    directory,
    live,
    budgets,
    signIn,
    links,
    lists,
    choices,
    locks,
    webhooks,
    reviews,
    runs,
    vault,
    reload,
    agents,
    clients,
    executions: new Executions({ ...base, sessions, locks: turns }),
    sessions,
    audit,
    backups,
    repositories,
    tickets,
    batches,
    longWork,
    chainChecks: opened.own(new ChainChecks(history, longWork)),
    examples,
    server: { version, grpc, tls },
    condition,
  }
  const measured = { ...base, version, users, locks, sessions, agents, clients, tls }
  const metrics = await openMetrics(listen.metrics, { measured, condition, log }, opened)
  const { rest, drain, endSessions, tellProblems, automatic } = openRest(services, opened)
  http = await listenOn(rest, listen.http)
  await checkRepositories(repositories.all, log)
  tellProblems()
  automatic.begin()
  const addresses = { http, metrics, grpc: addressUrl(tls === undefined ? 'grpc' : 'grpcs', grpc) }
  const signInLink = (linked: Linked) => `${webUrl()}/sign-in#code=${links.add(linked)}`
  const ways = {
    signInLink,
    drain,
    endSessions,
    running: () => sessions.running,
    stopTimeoutMs: () => settings.value.stopTimeoutMs,
  }
  return { ...addresses, ...ways, agents, reload: () => reload.run(), close: () => opened.close() }
}

/**
 * Opens what can begin sessions: the REST API, schedules and automatic runs. On close, these parts close
 * first, and then the running sessions end.
 */
function openRest(
  services: Omit<RestServices, 'schedules' | 'scheduleProblems'>,
  opened: Opened,
): {
  readonly rest: ReturnType<typeof restServer>
  readonly drain: Gateway['drain']
  readonly endSessions: () => Promise<void>
  /** Begins the checks of schedules and paths, and does not wait for them. */
  readonly tellProblems: () => void
  readonly automatic: AutomaticRuns
} {
  const { settings, repositories, agents, batches, sessions, reload, log } = services
  const scheduled = openSchedules(services)
  const rest = opened.own(restServer({ ...services, ...scheduled }))
  const endSessions = () => endRunning(batches, sessions)
  opened.add(endSessions)
  opened.own(scheduled.schedules)
  const automatic = opened.own(
    new AutomaticRuns({
      ...services,
      runBatch: (id, owner) => batches.exec(id, owner, {}, true).then(() => undefined),
    }),
  )
  opened.own(reload)
  const tellProblems = () => {
    void scheduled.scheduleProblems.tell(settings.value.schedules, log)
    void tellUnmatchedPaths(repositories.all, settings.value, log)
  }
  reload.afterEach(tellProblems)
  const drain = async (over: AbortSignal) => {
    const { stopTimeoutMs } = settings.value
    const begun = { running: sessions.running, stopTimeoutMs }
    log.info(begun, 'gateway draining: running sessions continue, new sessions are refused')
    batches.beginClosing()
    scheduled.schedules.close()
    automatic.close()
    const drained = sessions.drain(stopTimeoutMs, over)
    if (sessions.stopsAt !== undefined) agents.tellStop(new Date(sessions.stopsAt))
    await drained
    if (!over.aborted) await rest.answersSent(over)
    log.info(
      { running: sessions.running },
      over.aborted ? 'drain ended early by a signal' : 'gateway drained',
    )
  }
  return { rest, drain, endSessions, tellProblems, automatic }
}

function openAutomation(
  { settings, ...services }: Omit<IssueServices, 'sessions'>,
  opened: Opened,
): { readonly locks: Locks; readonly turns: SessionLocks; readonly webhooks: Webhooks } {
  const locks = new Locks()
  const webhooks = opened.own(new Webhooks({ ...services, settings }))
  return { locks, turns: new SessionLocks(locks, settings), webhooks }
}

function openRepositories(settings: CurrentSettings, log: Logger, opened: Opened): Repositories {
  const { state, repositories } = settings.value
  const open = opened.own(new Repositories(state, log))
  open.replace(repositories)
  return open
}

function openReviews(
  services: Omit<RunServices, 'vault'>,
  state: string,
  opened: Opened,
): {
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly access: TerminalAccess
  readonly vault: RequestVault
} {
  const run = { ...services, vault: new RequestVault(path.join(state, REVIEWS_KEY)) }
  const runs = new ApprovedRuns(run)
  const access = new TerminalAccess(services)
  return { runs, access, vault: run.vault, reviews: opened.own(new Reviews({ ...run, runs, access })) }
}

interface IssueServices {
  readonly settings: CurrentSettings
  readonly history: History
  readonly sessions: Sessions
  readonly linkTo: (sid: string) => string
  readonly log: Logger
}

/**
 * Opens Jira's parts even if no site is configured, because issues of an earlier site may still need changes.
 */
function openIssues(
  { settings, ...services }: IssueServices,
  opened: Opened,
): { readonly tickets: Tickets; readonly moves: IssueMoves } {
  const jira = currentJira(settings)
  const moves = opened.own(new IssueMoves({ ...services, jira }))
  return { moves, tickets: opened.own(new Tickets({ ...services, jira })) }
}

/** Stops the batches first, because otherwise they would begin new runs while sessions end. */
async function endRunning(batches: Batches, sessions: Sessions): Promise<void> {
  batches.beginClosing()
  await sessions.close()
}

/** Replaces a wildcard address by the name of this machine, because links need a reachable address. */
function reachableUrl(http: string): string {
  return http.replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=:)/, (_, scheme: string) => scheme + hostname())
}

function openCertificate(
  settings: CurrentSettings,
  log: Logger,
  opened: Opened,
): ServerCertificate | undefined {
  const { tls: first } = settings.value.listen
  if (first === undefined) return undefined
  return opened.own(new ServerCertificate(() => settings.value.listen.tls ?? first, log))
}

interface Watched {
  readonly sessions: Sessions
  readonly history: History
  readonly upkeep: Upkeep
  readonly moves: IssueMoves
  readonly webhooks: Webhooks
  readonly tls: ServerCertificate | undefined
}

function conditionOf({
  sessions,
  history,
  upkeep,
  moves,
  webhooks,
  tls,
}: Watched): RestServices['condition'] {
  return () => ({
    stopsAt: sessions.stopsAt,
    obstacle: history.obstacle,
    doubt: upkeep.doubt,
    issues: moves.warning,
    webhooks: webhooks.warning,
    certificate: tls?.warning,
  })
}

interface Reloaded {
  readonly tls: ServerCertificate | undefined
  readonly settings: CurrentSettings
  readonly repositories: Repositories
  readonly users: Users
  readonly agents: Agents
  readonly audit: AuditLog
  readonly history: History
  readonly log: Logger
}

function openReload(
  source: GatewayFile,
  { settings, repositories, users, agents, tls, audit, history, log }: Reloaded,
): Reload {
  const apply = (next: GatewaySettings, { entries }: ReloadReport) => {
    const opened = repositories.replace(next.repositories)
    settings.replace(next)
    users.noteDeclared()
    agents.retireUnknown()
    const changed = { ...changedLines(entries) }
    audit.note(auditFacts({ action: 'reload', resource_type: 'settings', request_payload_redacted: changed }))
    tls?.renew()
    return checkRepositories(opened, log)
  }
  const waiting = (next: GatewaySettings) => waitingEffects({ history, users, settings }, next)
  return new Reload({ source, settings, apply, waiting, log })
}
