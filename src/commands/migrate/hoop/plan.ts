import { accessControlSteps, groupSteps, connectionSteps, openingSteps } from './connections.ts'
import { agentSteps } from './agents.ts'
import { guardrailSteps, jiraSteps, repositorySteps, runbookRuleSteps } from './stored.ts'
import { maskingRuleSteps } from './masking-rules.ts'
import { reviewRuleSteps } from './review-rules.ts'
import type { Migration, MigrationStep } from './step.ts'

/** The steps in the order in which they run: what a connection needs first, and its protection before it is open. */
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
