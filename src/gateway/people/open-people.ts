import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { Opened } from '../../basics/opened.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import { AuditLog } from './audit/audit-log.ts'
import { auditFacts } from '../../contract/audit-entry.ts'
import { Budgets } from './identities/budgets.ts'
import { UserDirectory } from './identities/directory.ts'
import { LastUses, LiveUses } from './identities/token-uses.ts'
import { SignInAttempts } from './identities/sign-in-attempts.ts'
import { Tokens } from './identities/tokens.ts'
import { Users } from './identities/users.ts'
import { LinkCodes } from './sign-in/one-time-codes.ts'
import { SignIn } from './sign-in/sign-in.ts'

interface PeopleServices {
  readonly settings: CurrentSettings
  readonly history: History
  readonly webUrl: () => string
  readonly audit: AuditLog
  readonly log: Logger
}

interface People {
  readonly users: Users
  readonly tokens: Tokens
  readonly directory: UserDirectory
  readonly live: LiveUses
  readonly budgets: Budgets
  readonly signIn: SignIn
  readonly links: LinkCodes
}

export function openPeople(
  { settings, history, webUrl, audit, log }: PeopleServices,
  opened: Opened,
): People {
  const uses = opened.own(new LastUses(history, log))
  const attempts = new SignInAttempts({
    most: () => settings.value.limits.failedSignIns,
    told: (address, claimedAgent) => audit.failedSignIn(address, { claimed_agent: claimedAgent }),
  })
  const users = new Users(settings, history, uses, attempts)
  const tokens = new Tokens(users, uses, log)
  const directory = new UserDirectory(users, history, log)
  return {
    users,
    tokens,
    directory,
    live: new LiveUses(users),
    budgets: new Budgets(users, history),
    links: new LinkCodes(),
    signIn: new SignIn({ settings, users, tokens, webUrl, log }),
  }
}

/**
 * Notes the gateway's start and stop. A start after a start without a stop means that the gateway was killed.
 */
export function openAuditLog(
  { settings, history, log }: Omit<PeopleServices, 'webUrl' | 'audit'>,
  version: string,
  opened: Opened,
): AuditLog {
  const audit = new AuditLog(history, () => settings.value.history.auditRetainMs, log)
  const ofGateway = { resource_type: 'gateway', request_payload_redacted: { version } } as const
  audit.note(auditFacts({ ...ofGateway, action: 'start' }))
  opened.add(() => {
    audit.note(auditFacts({ ...ofGateway, action: 'stop' }))
    audit.close()
  })
  return audit
}
