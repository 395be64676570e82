import type { LongWork } from '../long-work.ts'
import type { Batches } from '../batches/batches.ts'
import type { CheckedChoices } from '../executions/choices/checked-choices.ts'
import type { ChoiceLists } from '../executions/choices/choice-lists.ts'
import type { Clients } from '../clients/clients.ts'
import type { Backups } from '../operating/backups.ts'
import type { Agents } from '../agents/agents.ts'
import type { AuditLog } from '../people/audit/audit-log.ts'
import type { ChainChecks } from '../people/audit/chain-checks.ts'
import type { Tickets } from '../jira/tickets.ts'
import type { Locks } from '../locks/locks.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import type { Examples } from '../settings/examples.ts'
import type { Reload } from '../settings/reload.ts'
import type { Executions } from '../sessions/executions.ts'
import type { History } from '../history/history.ts'
import type { Logger } from '../../basics/logger.ts'
import type { Condition } from '../operating/monitoring.ts'
import type { ApprovedRuns } from '../reviews/approved-runs.ts'
import type { Reviews } from '../reviews/reviews.ts'
import type { RequestVault } from '../reviews/vault.ts'
import type { Repositories } from '../runbooks/repositories.ts'
import type { ScheduleProblems } from '../schedules/scheduled-run.ts'
import type { Schedules } from '../schedules/schedules.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Budgets } from '../people/identities/budgets.ts'
import type { UserDirectory } from '../people/identities/directory.ts'
import type { LiveUses } from '../people/identities/token-uses.ts'
import type { Tokens } from '../people/identities/tokens.ts'
import type { ServerCertificate } from '../tls/certificates.ts'
import type { Address, CallerAddress } from '../../basics/net/address.ts'
import type { Users } from '../people/identities/users.ts'
import type { LinkCodes } from '../people/sign-in/one-time-codes.ts'
import type { SignIn } from '../people/sign-in/sign-in.ts'

interface ServerDescription {
  readonly version: string
  /** Address for agents and clients, with the real port. */
  readonly grpc: Address
  /** The certificate for HTTP and gRPC. */
  readonly tls: ServerCertificate | undefined
}

export interface RestServices {
  readonly server: ServerDescription
  readonly settings: CurrentSettings
  readonly reload: Reload
  readonly examples: Examples | undefined
  readonly users: Users
  readonly tokens: Tokens
  readonly directory: UserDirectory
  readonly budgets: Budgets
  readonly live: LiveUses
  readonly signIn: SignIn
  readonly links: LinkCodes
  readonly agents: Agents
  /** Command lines, and terminals of the page. */
  readonly clients: Clients
  readonly executions: Executions
  readonly sessions: Sessions
  readonly history: History
  readonly longWork: LongWork
  readonly backups: Backups
  readonly audit: AuditLog
  readonly chainChecks: ChainChecks
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly vault: RequestVault
  readonly tickets: Tickets
  readonly schedules: Schedules
  readonly webhooks: Webhooks
  readonly scheduleProblems: ScheduleProblems
  readonly lists: ChoiceLists
  readonly choices: CheckedChoices
  readonly locks: Locks
  readonly batches: Batches
  /** Public address for links, without a slash at the end. */
  readonly webUrl: () => string
  readonly repositories: Repositories
  readonly condition: () => Condition
  readonly callerAddress: CallerAddress
  readonly log: Logger
}
