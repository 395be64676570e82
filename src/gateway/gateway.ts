import { hostname } from 'node:os'
import path from 'node:path'
import { Agents } from './agents/agents.ts'
import { Batches } from './batches/batches.ts'
import { Backups } from './backup/backups.ts'
import { HISTORY_FILE, REVIEWS_KEY } from './backup/manifest.ts'
import { checkRestored } from './backup/restore.ts'
import { AuditLog } from './people/audit/audit-log.ts'
import { auditFacts } from './people/audit/entry.ts'
import { Clients } from './clients/clients.ts'
import { Executions } from './sessions/executions.ts'
import { History } from './history/history.ts'
import { Locks } from './automation/locks/locks.ts'
import { SessionLocks } from './automation/locks/session-locks.ts'
import type { Logger } from '../basics/logger.ts'
import { claimFolder } from '../basics/files/private-path.ts'
import { currentJira } from './jira/current-jira.ts'
import { IssueMoves } from './jira/moves.ts'
import { Tickets } from './jira/tickets.ts'
import { openSchedules } from './rest/automation/schedules/open-schedules.ts'
import { restServer } from './rest/server.ts'
import type { RestServices } from './rest/services.ts'
import { Repositories } from './runbooks/repositories.ts'
import { ApprovedRuns, type RunServices } from './reviews/approved-runs.ts'
import { Reviews } from './reviews/reviews.ts'
import { TerminalAccess } from './reviews/terminal-access.ts'
import { RequestVault } from './reviews/vault.ts'
import { checkRepositories } from './runbooks/start-check.ts'
import { Sessions } from './sessions/sessions.ts'
import { SignIn } from './people/sign-in/sign-in.ts'
import { addressUrl } from '../basics/net/address.ts'
import { CurrentSettings } from './settings/current-settings.ts'
import { Reload, type ReloadReport, type GatewayFile } from './settings/reload/reload.ts'
import type { GatewaySettings } from './settings/settings.ts'
import { Transport } from './agents/transport.ts'
import { ServerCertificate } from './tls/server-certificate.ts'
import { Webhooks } from './automation/webhooks/webhooks.ts'
import { Upkeep } from './history/disk/upkeep.ts'
import { Budgets } from './people/identities/budgets.ts'
import { UserDirectory } from './people/identities/directory.ts'
import { LastUses } from './people/identities/last-uses.ts'
import { LiveUses } from './people/identities/live-uses.ts'
import { Tokens } from './people/identities/tokens.ts'
import { Users } from './people/identities/users.ts'

/** The embedded gateway: transport for agents and clients, REST interface, runbooks and history in one process. */
export interface Gateway {
  /** The real addresses, ports filled in. */
  readonly http: string
  readonly grpc: string
  readonly agents: Agents
  /** Reads the settings again. What it did is in the log, too. @throws as `Reload.run` */
  reload(): Promise<ReloadReport>
  /** Ends what runs and records it. Agents stay connected. */
  endSessions(): Promise<void>
  /** Ends what runs, records it, and gives everything back. */
  close(): Promise<void>
}

export interface GatewayOptions {
  /** Where the settings are read again. */
  readonly source: GatewayFile
  readonly log: Logger
  /** What clients are told. */
  readonly version: string
}

/**
 * Starts what the settings say; on an error nothing stays open.
 * @throws ForeignPathError, HistoryError, RepositoryError or a listen error
 */
export async function startGateway(first: GatewaySettings, options: GatewayOptions): Promise<Gateway> {
  const closers: Closer[] = []
  try {
    return await open(new CurrentSettings(first), options, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

type Closer = () => void | Promise<void>

/** Closes in reverse order: sessions end while their agents and the history are still there. */
async function open(
  settings: CurrentSettings,
  { source, log, version }: GatewayOptions,
  closers: Closer[],
): Promise<Gateway> {
  const { state, listen } = settings.value
  const { history, upkeep, backups } = openState(settings, { log, version }, closers)
  const audit = openAuditLog(history, settings, { log, version }, closers)
  const repositories = openRepositories(settings, log, closers)
  const agents = new Agents(settings)
  const tls = openCertificate(settings, log, closers)
  const reload = openReload(source, { settings, repositories, agents, tls, audit, log })
  const identities = openIdentities(settings, { history, log }, closers)
  const { locks, turns } = openLocks(settings)
  const sessions = new Sessions(agents, history, settings, log, turns, identities.budgets)
  const reviewing = openReviews({ ...identities, sessions, history, log }, state, closers)
  let http = ''
  const webUrl = () => settings.value.listen.publicUrl ?? reachableUrl(http)
  const signIn = new SignIn({ ...identities, current: settings, log, webUrl })
  const { tickets, moves } = openIssues(settings, { history, sessions, webUrl, log }, closers)
  const webhooks = openWebhooks(settings, { history, webUrl, log }, closers)
  const batches = new Batches({ settings, ...identities, sessions, history, tickets, log, ...reviewing })
  const clients = new Clients({ ...identities, sessions, tickets, log, webUrl, ...reviewing })
  const transport = new Transport(agents, clients, log, tls)
  closers.push(...closing(batches, transport))
  const grpc = { host: listen.grpc.host, port: await transport.listen(listen.grpc) }
  const executions = new Executions({ sessions, current: settings, history, log, locks: turns })
  const services = {
    ...{ settings, reload, agents, executions, sessions, history, audit, backups, repositories, log },
    ...{ ...identities, ...reviewing, webUrl, tickets, batches, locks, signIn, webhooks },
    condition: conditionOf({ history, upkeep, moves, webhooks, tls }),
    server: { version, grpc, tls },
  }
  const scheduled = openSchedules(services, settings)
  const rest = restServer({ ...services, ...scheduled })
  closers.push(...closing(rest), () => endRunning(batches, sessions), ...closing(scheduled.schedules, reload))
  http = await rest.listen(listen.http)
  await checkRunbooks(repositories, () => scheduled.scheduleProblems.tell(settings.value.schedules, log), log)
  const addresses = { http, grpc: addressUrl(tls === undefined ? 'grpc' : 'grpcs', grpc) }
  const actions = { reload: () => reload.run(), endSessions: () => endRunning(batches, sessions) }
  return { ...addresses, agents, ...actions, close: () => closeAll(closers) }
}

/** Says in the log what cannot be read or run. Schedules are looked at meanwhile: nobody waits for that. */
async function checkRunbooks(
  repositories: Repositories,
  checkSchedules: () => Promise<void>,
  log: Logger,
): Promise<void> {
  await checkRepositories(repositories.all, log)
  void checkSchedules()
}

/** What an operator should know. */
function closing(...open: readonly { close: () => void | Promise<void> }[]): Closer[] {
  return open.map((each) => () => each.close())
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}

interface Identities extends Pick<RestServices, 'users' | 'tokens' | 'directory' | 'live'> {
  readonly budgets: Budgets
}

/** Who may ask, and by which tokens. */
function openIdentities(
  current: CurrentSettings,
  { history, log }: { readonly history: History; readonly log: Logger },
  closers: Closer[],
): Identities {
  const uses = new LastUses(history, log)
  closers.push(() => uses.close())
  const users = new Users(current, history, uses)
  const directory = new UserDirectory(users, history, log)
  return {
    users,
    tokens: new Tokens(users, uses, log),
    directory,
    live: new LiveUses(users),
    budgets: new Budgets(users, history),
  }
}

function openReviews(
  services: Omit<RunServices, 'vault'>,
  state: string,
  closers: Closer[],
): { readonly reviews: Reviews; readonly runs: ApprovedRuns; readonly access: TerminalAccess } {
  const run = { ...services, vault: new RequestVault(path.join(state, REVIEWS_KEY)) }
  const runs = new ApprovedRuns(run)
  const access = new TerminalAccess(services.history, services.sessions)
  const reviews = new Reviews({ ...run, runs, access })
  closers.push(() => reviews.close())
  return { reviews, runs, access }
}

interface IssueServices {
  readonly history: History
  readonly sessions: Sessions
  readonly webUrl: () => string
  readonly log: Logger
}

function openWebhooks(
  current: CurrentSettings,
  { webUrl, ...services }: Omit<IssueServices, 'sessions'>,
  closers: Closer[],
): Webhooks {
  const linkTo = (sid: string) => `${webUrl()}/sessions/${sid}`
  const webhooks = new Webhooks({ ...services, current, linkTo })
  closers.push(() => webhooks.close())
  return webhooks
}

/** Without a site, too: issues of one that gateway.yaml had before may be left. */
function openIssues(
  settings: CurrentSettings,
  { webUrl, ...services }: IssueServices,
  closers: Closer[],
): { readonly tickets: Tickets; readonly moves: IssueMoves } {
  const jira = currentJira(settings)
  const linkTo = (sid: string) => `${webUrl()}/sessions/${sid}`
  const tickets = new Tickets({ ...services, jira, linkTo })
  const moves = new IssueMoves({ ...services, jira })
  closers.push(async () => {
    await tickets.close()
    await moves.close()
  })
  return { tickets, moves }
}

/** Nothing of a batch begins while its sessions end. */
async function endRunning(batches: Batches, sessions: Sessions): Promise<void> {
  batches.beginClosing()
  await sessions.close()
}

/** For links. A wildcard is no address: then it is this machine's name. */
function reachableUrl(http: string): string {
  return http.replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=:)/, (_, scheme: string) => scheme + hostname())
}

function openState(
  settings: CurrentSettings,
  { log, version }: { log: Logger; version: string },
  closers: Closer[],
): { readonly history: History; readonly upkeep: Upkeep; readonly backups: Backups } {
  const { state } = settings.value
  claimFolder(state)
  checkRestored(state)
  const retention = () => settings.value.history
  const history = History.open(path.join(state, HISTORY_FILE), {
    onError: (error) => log.error({ error: error.message }, 'history'),
    retention,
  })
  closers.push(() => history.close())
  const upkeep = new Upkeep(history, retention, log)
  const backups = new Backups(state, version)
  closers.push(
    () => upkeep.close(),
    () => backups.close(),
  )
  return { history, upkeep, backups }
}

/** Its first and last entries are those of the gateway itself. A start without an end before it was a kill. */
function openAuditLog(
  history: History,
  current: CurrentSettings,
  { log, version }: { log: Logger; version: string },
  closers: Closer[],
): AuditLog {
  const audit = new AuditLog(history, () => current.value.history.auditRetainMs, log)
  const ofGateway = { resource_type: 'gateway', request_payload_redacted: { version } } as const
  audit.note(auditFacts({ ...ofGateway, action: 'start' }))
  closers.push(() => {
    audit.note(auditFacts({ ...ofGateway, action: 'stop' }))
    audit.close()
  })
  return audit
}

function openRepositories(settings: CurrentSettings, log: Logger, closers: Closer[]): Repositories {
  const { state, repositories } = settings.value
  const open = new Repositories(state, log)
  closers.push(() => open.close())
  open.replace(repositories)
  return open
}

function openCertificate(
  settings: CurrentSettings,
  log: Logger,
  closers: Closer[],
): ServerCertificate | undefined {
  const { tls: first } = settings.value.listen
  if (first === undefined) return undefined
  const certificate = new ServerCertificate(() => settings.value.listen.tls ?? first, log)
  closers.push(() => certificate.close())
  return certificate
}

function openLocks(settings: CurrentSettings): { readonly locks: Locks; readonly turns: SessionLocks } {
  const locks = new Locks()
  return { locks, turns: new SessionLocks(locks, settings) }
}

interface Watched {
  readonly history: History
  readonly upkeep: Upkeep
  readonly moves: IssueMoves
  readonly webhooks: Webhooks
  readonly tls: ServerCertificate | undefined
}

function conditionOf({ history, upkeep, moves, webhooks, tls }: Watched): RestServices['condition'] {
  return () => ({
    ...{ obstacle: history.obstacle, doubt: upkeep.doubt, issues: moves.warning },
    ...{ webhooks: webhooks.warning, certificate: tls?.warning },
  })
}

interface Reloaded {
  readonly tls: ServerCertificate | undefined
  readonly settings: CurrentSettings
  readonly repositories: Repositories
  readonly agents: Agents
  readonly audit: AuditLog
  readonly log: Logger
}

/** Whoever keeps something open for the settings is told here that they are others. */
function openReload(
  source: GatewayFile,
  { settings, repositories, agents, tls, audit, log }: Reloaded,
): Reload {
  const apply = (next: GatewaySettings) => {
    const opened = repositories.replace(next.repositories)
    settings.replace(next)
    agents.retireUnknown()
    audit.note(auditFacts({ action: 'reload', resource_type: 'settings' }))
    tls?.renew()
    return checkRepositories(opened, log)
  }
  return new Reload({ source, current: settings, apply, log })
}
