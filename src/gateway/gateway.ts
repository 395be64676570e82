import { hostname } from 'node:os'
import path from 'node:path'
import { Agents } from './agents/agents.ts'
import { Clients } from './clients/clients.ts'
import { Executions } from './sessions/executions.ts'
import { History } from './history/history.ts'
import { Locks } from './locks/locks.ts'
import { SessionLocks } from './locks/session-locks.ts'
import type { Logger } from '../basics/logger.ts'
import { claimFolder } from '../basics/files/private-path.ts'
import { Jira } from './jira/client.ts'
import { IssueMoves } from './jira/moves.ts'
import { Tickets } from './jira/tickets.ts'
import { restServer } from './rest/server.ts'
import type { NamedRepository } from './rest/services.ts'
import { REFRESH_MS, RunbookRepository } from './runbooks/repository.ts'
import { ApprovedRuns, type RunServices } from './reviews/approved-runs.ts'
import { Reviews } from './reviews/reviews.ts'
import { TerminalAccess } from './reviews/terminal-access.ts'
import { RequestVault } from './reviews/vault.ts'
import { checkRepositories } from './runbooks/start-check.ts'
import { parseRemote, repositoryKey } from './runbooks/git/url.ts'
import { Sessions } from './sessions/sessions.ts'
import { addressUrl } from '../basics/net/address.ts'
import { CurrentSettings } from './settings/current-settings.ts'
import type { GatewaySettings, RepositorySettings } from './settings/settings.ts'
import { Transport } from './agents/transport.ts'
import { Upkeep } from './upkeep.ts'
import { LastUses } from './identities/last-uses.ts'
import { Tokens } from './identities/tokens.ts'
import { Users } from './identities/users.ts'

/** The embedded gateway: transport for agents and clients, REST interface, runbooks and history in one process. */
export interface Gateway {
  /** The real addresses, ports filled in. */
  readonly http: string
  readonly grpc: string
  readonly agents: Agents
  /** Ends what runs and records it. Agents stay connected. */
  endSessions(): Promise<void>
  /** Ends what runs, records it, and gives everything back. */
  close(): Promise<void>
}

/**
 * Starts what the settings say; on an error nothing stays open. `version` is what clients are told.
 * @throws ForeignPathError, HistoryError, RepositoryError or a listen error
 */
export async function startGateway(
  settings: GatewaySettings,
  log: Logger,
  version: string,
): Promise<Gateway> {
  const closers: Closer[] = []
  try {
    return await open(settings, { log, version }, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

type Closer = () => void | Promise<void>

/** Closes in reverse order: sessions end while their agents and the history are still there. */
async function open(
  settings: GatewaySettings,
  { log, version }: { log: Logger; version: string },
  closers: Closer[],
): Promise<Gateway> {
  const current = new CurrentSettings(settings)
  const { history, upkeep } = openState(current, log, closers)
  const repositories = openRepositories(settings, log, closers)
  const agents = new Agents(settings.agents)
  const { users, tokens } = openIdentities(current, { history, log }, closers)
  const locks = new Locks()
  const turns = new SessionLocks(locks, current)
  const sessions = new Sessions(agents, history, settings.limits, log, turns)
  const reviewing = openReviews({ users, sessions, history, log }, settings.state)
  closers.push(() => reviewing.reviews.close())
  let http = ''
  const webUrl = () => settings.listen.publicUrl ?? reachableUrl(http)
  const { tickets, moves } = openIssues(settings, { history, sessions, webUrl, log }, closers)
  const clients = new Clients({ users, sessions, tickets, log, webUrl, ...reviewing })
  const transport = new Transport(agents, clients, log)
  closers.push(() => transport.close())
  const executions = new Executions(sessions, history, settings.limits, log, turns)
  const grpc = { host: settings.listen.grpc.host, port: await transport.listen(settings.listen.grpc) }
  const rest = restServer(
    {
      ...{ users, tokens, agents, executions, sessions, history, repositories, log },
      ...reviewing,
      ...{ webUrl, tickets, jira: settings.jira, locks, lockRules: () => current.value.locks },
      server: { version, grpc },
      condition: () => ({ obstacle: history.obstacle, doubt: upkeep.doubt, issues: moves.warning }),
    },
    settings.limits.bodyBytes,
  )
  closers.push(() => rest.close())
  closers.push(() => sessions.close())
  http = await rest.listen(settings.listen.http)
  await checkRepositories(repositories, log)
  return {
    http,
    grpc: addressUrl('grpc', grpc),
    agents,
    endSessions: () => sessions.close(),
    close: () => closeAll(closers),
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}

/** Who may ask, and by which tokens. */
function openIdentities(
  current: CurrentSettings,
  { history, log }: { readonly history: History; readonly log: Logger },
  closers: Closer[],
): { readonly users: Users; readonly tokens: Tokens } {
  const uses = new LastUses(history, log)
  closers.push(() => uses.close())
  const users = new Users(current, history, uses)
  return { users, tokens: new Tokens(users, uses, log) }
}

function openReviews(
  services: Omit<RunServices, 'vault'>,
  state: string,
): { readonly reviews: Reviews; readonly runs: ApprovedRuns; readonly access: TerminalAccess } {
  const run = { ...services, vault: new RequestVault(path.join(state, 'reviews.key')) }
  const runs = new ApprovedRuns(run)
  const access = new TerminalAccess(services.history, services.sessions)
  return { reviews: new Reviews({ ...run, runs, access }), runs, access }
}

interface IssueServices {
  readonly history: History
  readonly sessions: Sessions
  readonly webUrl: () => string
  readonly log: Logger
}

/** Without a site, too: issues of one that gateway.yaml had before may be left. */
function openIssues(
  settings: GatewaySettings,
  { webUrl, ...services }: IssueServices,
  closers: Closer[],
): { readonly tickets: Tickets; readonly moves: IssueMoves } {
  const jira = settings.jira && new Jira(settings.jira)
  const linkTo = (sid: string) => `${webUrl()}/sessions/${sid}`
  const tickets = new Tickets({ ...services, jira, linkTo })
  const moves = new IssueMoves({ ...services, jira })
  closers.push(async () => {
    await tickets.close()
    await moves.close()
  })
  return { tickets, moves }
}

/** For links. A wildcard is no address: then it is this machine's name. */
function reachableUrl(http: string): string {
  return http.replace(/^http:\/\/(0\.0\.0\.0|\[::\])(?=:)/, `http://${hostname()}`)
}

function openState(
  current: CurrentSettings,
  log: Logger,
  closers: Closer[],
): { readonly history: History; readonly upkeep: Upkeep } {
  const { state } = current.value
  claimFolder(state)
  const retention = () => current.value.history
  const history = History.open(path.join(state, 'history.sqlite'), {
    onError: (error) => log.error({ error: error.message }, 'history'),
    retention,
  })
  closers.push(() => history.close())
  const upkeep = new Upkeep(history, retention, log)
  closers.push(() => upkeep.close())
  return { history, upkeep }
}

function openRepositories(settings: GatewaySettings, log: Logger, closers: Closer[]): NamedRepository[] {
  const repositories = settings.repositories.map((one) => openRepository(one, settings.state, log))
  closers.push(async () => {
    await Promise.all(repositories.map(({ repository }) => repository.close()))
  })
  return repositories
}

function openRepository(settings: RepositorySettings, stateDir: string, log: Logger): NamedRepository {
  const repository = RunbookRepository.open({ ...settings, stateDir, log })
  const { name, url, refreshMs = REFRESH_MS } = settings
  return { name, key: repositoryKey(url), gitUrl: parseRemote(url).url, refreshMs, repository }
}
