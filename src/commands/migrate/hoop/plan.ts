import { accessControlSteps, groupSteps } from './objects/access-control.ts'
import { agentSteps } from './objects/agents.ts'
import { connectionSteps, openingSteps } from './objects/connections.ts'
import { guardrailSteps } from './objects/guardrails.ts'
import { jiraSteps } from './objects/jira.ts'
import { maskingRuleSteps } from './objects/masking-rules.ts'
import { repositorySteps } from './objects/repositories.ts'
import { reviewRuleSteps } from './objects/review-rules.ts'
import { runbookRuleSteps } from './objects/runbook-rules.ts'
import type { Migration, MigrationStep } from './step.ts'

/** In the order in which they are written: what a connection needs first, and what protects it before it is open. */
export function stepsOf(migration: Migration): MigrationStep[] {
  return [
    agentSteps,
    guardrailSteps,
    jiraSteps,
    repositorySteps,
    reviewRuleSteps,
    runbookRuleSteps,
    accessControlSteps,
    connectionSteps,
    groupSteps,
    maskingRuleSteps,
    openingSteps,
  ].flatMap((steps) => steps(migration))
}
