import type { JiraSettings } from '../../../../gateway/settings/jira.ts'
import type { JiraTemplate } from '../../../../gateway/settings/shapes/jira-shape.ts'
import { idOf, resourceNamed } from '../differences.ts'
import type { Migration, MigrationStep } from '../step.ts'
import { storedStep } from './stored.ts'

const SITE = '/api/integrations/jira'

/** The site first: without one hoop takes no templates. */
export function jiraSteps(migration: Migration): MigrationStep[] {
  const { jira } = migration.settings
  if (jira === undefined) return []
  return [siteStep(jira, migration), ...jira.templates.map((one) => templateStep(one, migration))]
}

function siteStep({ url, user, token }: JiraSettings, migration: Migration): MigrationStep {
  const present = migration.present.jira
  const body = { url, user, api_token: token.reveal(), status: 'enabled' }
  return storedStep({ kind: 'jira site', name: url, path: SITE, present, body }, migration)
}

/** Its connections name it themselves, and a template that is written without the list would lose all of them. */
function templateStep(template: JiraTemplate, migration: Migration): MigrationStep {
  const present = resourceNamed(migration.present.templates, template.name)
  const body = { ...template }
  const wanted = { kind: 'jira template', path: `${SITE}/issuetemplates`, key: idOf(present) } as const
  return storedStep({ ...wanted, name: template.name, present, body }, migration)
}
