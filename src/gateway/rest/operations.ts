import { agentContract } from '../../contract/agents.ts'
import { auditContract, auditStreamContract } from '../../contract/audit.ts'
import { connectionContract } from '../../contract/connections.ts'
import { backupContract, gatewayContract, settingsContract } from '../../contract/gateway.ts'
import {
  pageContract,
  browserSignInContract,
  deviceSignInContract,
  localSignInContract,
} from '../../contract/sign-in.ts'
import { jiraContract } from '../../contract/jira.ts'
import { tableOf, type OperationTable } from '../../contract/contract.ts'
import { executionContract } from '../../contract/executions.ts'
import { runbookContract } from '../../contract/runbooks.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../contract/sessions.ts'
import { reviewContract } from '../../contract/reviews.ts'
import { batchContract } from '../../contract/batches.ts'
import { apiKeyContract, budgetContract, serviceAccountContract } from '../../contract/machines.ts'
import { tokenContract } from '../../contract/tokens.ts'
import { accessContract } from '../../contract/access.ts'
import { userContract } from '../../contract/users.ts'
import { lockContract } from '../../contract/locks.ts'
import { scheduleContract } from '../../contract/schedules.ts'
import { webhookContract } from '../../contract/webhooks.ts'

/** The gateway refuses to start with a route that is missing here. */
export const OPERATIONS: OperationTable = {
  ...tableOf(runbookContract),
  ...tableOf(executionContract),
  ...tableOf(batchContract),
  ...tableOf(sessionListContract),
  ...tableOf(sessionStreamContract),
  ...tableOf(sessionContract),
  ...tableOf(reviewContract),
  ...tableOf(scheduleContract),
  ...tableOf(lockContract),
  ...tableOf(webhookContract),
  ...tableOf(connectionContract),
  ...tableOf(jiraContract),
  ...tableOf(agentContract),
  ...tableOf(userContract),
  ...tableOf(accessContract),
  ...tableOf(serviceAccountContract),
  ...tableOf(apiKeyContract),
  ...tableOf(budgetContract),
  ...tableOf(tokenContract),
  ...tableOf(auditContract),
  ...tableOf(auditStreamContract),
  ...tableOf(gatewayContract),
  ...tableOf(settingsContract),
  ...tableOf(backupContract),
  ...tableOf(localSignInContract),
  ...tableOf(browserSignInContract),
  ...tableOf(deviceSignInContract),
  ...tableOf(pageContract),
}
