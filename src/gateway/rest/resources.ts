import type { FastifyInstance } from 'fastify'
import { accessContract } from '../../contract/access.ts'
import { agentContract } from '../../contract/agents.ts'
import { auditContract, auditStreamContract } from '../../contract/audit.ts'
import { AuditWords } from '../../contract/audit-words.ts'
import { batchContract } from '../../contract/batches.ts'
import { connectionContract } from '../../contract/connections.ts'
import { tableOf, type Contract, type OperationTable } from '../../contract/contract.ts'
import { executionContract } from '../../contract/executions.ts'
import { backupContract, gatewayContract, settingsContract } from '../../contract/gateway.ts'
import { jiraContract } from '../../contract/jira.ts'
import { lockContract } from '../../contract/locks.ts'
import { mcpContract } from '../../contract/mcp.ts'
import { apiKeyContract, budgetContract, serviceAccountContract } from '../../contract/machines.ts'
import { reviewContract } from '../../contract/reviews.ts'
import { runbookContract } from '../../contract/runbooks.ts'
import { scheduleContract } from '../../contract/schedules.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../contract/sessions.ts'
import {
  browserSignInContract,
  deviceSignInContract,
  localSignInContract,
  pageContract,
} from '../../contract/sign-in.ts'
import { tokenContract } from '../../contract/tokens.ts'
import { userContract } from '../../contract/users.ts'
import { webhookContract } from '../../contract/webhooks.ts'
import { agentRoutes } from '../agents/routes.ts'
import { batchRoutes } from '../batches/routes.ts'
import { connectionRoutes } from '../connections/routes.ts'
import { accessRoutes } from '../executions/explained-access.ts'
import { executionRoutes } from '../executions/routes.ts'
import type { Handlers } from '../handlers.ts'
import { jiraRoutes } from '../jira/routes.ts'
import { lockRoutes } from '../locks/routes.ts'
import { auditRoutes } from '../people/audit/routes.ts'
import {
  apiKeyRoutes,
  budgetRoutes,
  serviceAccountRoutes,
  tokenRoutes,
  userRoutes,
} from '../people/identities/routes.ts'
import { reviewRoutes } from '../reviews/routes.ts'
import { runbookRoutes } from '../runbooks/routes.ts'
import { scheduleRoutes } from '../schedules/routes.ts'
import { webhookRoutes } from '../webhooks/routes.ts'
import { auditExportRoute } from './audit-export.ts'
import { backupRoutes, gatewayRoutes, settingsRoutes } from './gateway-routes.ts'
import { mcpRoute } from './mcp.ts'
import { mount, type Scopes } from './mount.ts'
import { changesRoute } from './page/changes.ts'
import { pageSignInRoute, pageSignOutRoute } from './page/sign-in.ts'
import { terminalRoute } from './page/terminal.ts'
import type { RestServices } from './services.ts'
import { sessionListRoutes, sessionRoutes, sessionStreamRoutes } from './sessions/sessions.ts'
import {
  browserSignInRoutes,
  devicePages,
  deviceSignInRoutes,
  localSignInRoutes,
  oidcRoutes,
} from './sign-in.ts'

interface Resource {
  readonly contract: Contract
  readonly addRoutes: (scopes: Scopes, services: RestServices) => void
}

/** All resources, in the order in which docs/rest.md and the OpenAPI document have them. */
const RESOURCES: readonly Resource[] = [
  resource(runbookContract, runbookRoutes),
  resource(executionContract, executionRoutes),
  resource(batchContract, batchRoutes),
  resource(sessionListContract, sessionListRoutes),
  byHand(sessionStreamContract, sessionStreamRoutes),
  resource(sessionContract, sessionRoutes),
  resource(reviewContract, reviewRoutes),
  resource(scheduleContract, scheduleRoutes),
  resource(lockContract, lockRoutes),
  resource(webhookContract, webhookRoutes),
  resource(connectionContract, connectionRoutes),
  resource(jiraContract, jiraRoutes),
  resource(agentContract, agentRoutes),
  resource(userContract, userRoutes),
  resource(accessContract, accessRoutes),
  resource(serviceAccountContract, serviceAccountRoutes),
  resource(apiKeyContract, apiKeyRoutes),
  resource(budgetContract, budgetRoutes),
  resource(tokenContract, tokenRoutes),
  // The words are made when the routes are added, because they come from all resources.
  resource(auditContract, (services) => auditRoutes(services, new AuditWords(OPERATIONS))),
  byHand(auditStreamContract, ({ app }, services) =>
    auditExportRoute(app, services, new AuditWords(OPERATIONS)),
  ),
  resource(gatewayContract, gatewayRoutes),
  resource(settingsContract, settingsRoutes),
  byHand(backupContract, ({ app }, services) => backupRoutes(app, services)),
  resource(localSignInContract, localSignInRoutes),
  resource(browserSignInContract, browserSignInRoutes, ({ app }, services) => oidcRoutes(app, services)),
  resource(deviceSignInContract, deviceSignInRoutes, ({ app }, services) => devicePages(app, services)),
  byHand(mcpContract, mcpRoute),
  byHand(pageContract, ({ app, withBodies }, services) => {
    pageSignInRoute(withBodies, services)
    pageSignOutRoute(app, services)
    changesRoute(app, services)
    terminalRoute(app, services)
  }),
]

/** Every operation of the REST interface, by method and path. */
export const OPERATIONS: OperationTable = Object.assign(
  {},
  ...RESOURCES.map(({ contract }) => tableOf(contract)),
) as OperationTable

export function addResources(scopes: Scopes, services: RestServices): void {
  for (const { addRoutes } of RESOURCES) addRoutes(scopes, services)
}

/** @param addByHand adds the routes of the contract that have no handler, such as streams */
function resource<C extends Contract>(
  contract: C,
  handlersOf: (services: RestServices, app: FastifyInstance) => Handlers<C>,
  addByHand?: Resource['addRoutes'],
): Resource {
  const addRoutes: Resource['addRoutes'] = (scopes, services) => {
    mount(scopes, contract, handlersOf(services, scopes.app))
    addByHand?.(scopes, services)
  }
  return { contract, addRoutes }
}

function byHand(contract: Contract, addRoutes: Resource['addRoutes']): Resource {
  return { contract, addRoutes }
}
