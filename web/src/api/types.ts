import type { agentContract } from '../../../src/contract/agents.ts'
import type { auditContract, AuditEntryAnswer } from '../../../src/contract/audit.ts'
import type { BatchDifferences, batchContract } from '../../../src/contract/batches.ts'
import type { ListedConnectionAnswer } from '../../../src/contract/connections.ts'
import type { AnswerOf } from '../../../src/contract/contract.ts'
import type { ChoiceAnswer, ChoicesAnswer } from '../../../src/contract/choices.ts'
import type { FirstRun } from '../../../src/contract/first-run.ts'
import type { executionContract } from '../../../src/contract/executions.ts'
import type { ForeseenAnswer } from '../../../src/contract/foreseen-runbook.ts'
import type { DatabaseSchemaAnswer, ForeseenScriptAnswer } from '../../../src/contract/foreseen-script.ts'
import type { gatewayContract, settingsContract, UserInfoAnswer } from '../../../src/contract/gateway.ts'
import type { JiraTemplateAnswer } from '../../../src/contract/jira.ts'
import type { PageSignInAnswer } from '../../../src/contract/sign-in.ts'
import type { AccessAmount, AccessExplanation, AccessMatrix } from '../../../src/contract/access.ts'
import type { ReviewAnswer, reviewContract, ReviewInSession } from '../../../src/contract/reviews.ts'
import type { RunbookListAnswer } from '../../../src/contract/runbooks.ts'
import type { StatementAnswer, StatementsAnswer } from '../../../src/contract/session-output.ts'
import type { ListedSession, ShownSession } from '../../../src/contract/session-shape.ts'
import type { sessionListContract } from '../../../src/contract/sessions.ts'
import type {
  ListedSchedule,
  ScheduleAnswer,
  scheduleContract,
  ScheduleRunAnswer,
} from '../../../src/contract/schedules.ts'
import type { BudgetUseAnswer } from '../../../src/contract/machines.ts'
import type { IssuedTokenAnswer, TokenAnswer } from '../../../src/contract/tokens.ts'
import type { UserAnswer } from '../../../src/contract/users.ts'

// The gateway's answers, with the page's names. The contracts are imported as types only, without code.

export type { FirstRun, ListedSchedule, ListedSession, StatementsAnswer }
export type Statement = StatementAnswer
export type Person = UserInfoAnswer
export type User = UserAnswer
export type Token = TokenAnswer
export type IssuedToken = IssuedTokenAnswer
export type Budget = NonNullable<UserAnswer['budget']>
export type BudgetUse = BudgetUseAnswer
export type SignedIn = PageSignInAnswer
export type PublicServer = AnswerOf<(typeof gatewayContract)['publicInfo']>
export type Server = AnswerOf<(typeof gatewayContract)['serverInfo']>
export type AuditEntry = AuditEntryAnswer
export type AuditChain = AnswerOf<(typeof auditContract)['chain']>
export type AuditPage = AnswerOf<(typeof auditContract)['list']>
export type Settings = AnswerOf<(typeof settingsContract)['show']>
export type SettingsChanges = AnswerOf<(typeof settingsContract)['preview']>
export type ForeseenSchedule = AnswerOf<(typeof scheduleContract)['foresee']>
export type Connection = ListedConnectionAnswer
export type Agent = AnswerOf<(typeof agentContract)['list']>[number]
export type RunbookLists = RunbookListAnswer
export type RunbookItem = RunbookLists['repositories'][number]['items'][number]
export type Choices = ChoicesAnswer
export type Choice = ChoiceAnswer
export type Foreseen = ForeseenAnswer
export type ForeseenScript = ForeseenScriptAnswer
export type DatabaseSchema = DatabaseSchemaAnswer
export type Rendered = AnswerOf<(typeof executionContract)['render']>
export type Execution = AnswerOf<(typeof executionContract)['repositoryRunbook']>
export type SessionList = AnswerOf<(typeof sessionListContract)['list']>
export type { AccessAmount, AccessExplanation, AccessMatrix }
export type Review = ReviewAnswer
/** A review without the facts and permissions of the caller. */
export type { ReviewInSession }
export type PreviousRun = AnswerOf<(typeof reviewContract)['previous']>
export type ListedBatch = AnswerOf<(typeof batchContract)['list']>[number]
export type Batch = AnswerOf<(typeof batchContract)['show']>
export type BatchDiff = BatchDifferences
export type Schedule = ScheduleAnswer
export type ScheduleRun = ScheduleRunAnswer
export type JiraTemplate = JiraTemplateAnswer

/** Sessions in a list have no script. */
export interface Session
  extends Omit<ListedSession, 'script'>, Pick<ShownSession, 'may_read_output' | 'first' | 'second'> {
  readonly script: { readonly data: string }
}
