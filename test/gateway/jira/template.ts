import { settingsOf } from '../../support/settings.ts'
import type { JiraSettings, JiraTemplate } from '../../../src/gateway/settings/jira.ts'

/** The `jira` of a gateway.yaml. @param jira in YAML */
export function jiraSettings(jira: string, env: NodeJS.ProcessEnv = {}): JiraSettings {
  const { jira: settings } = settingsOf(`jira: ${jira}`, env)
  if (settings === undefined) throw new Error('there is no jira in it')
  return settings
}

/** A template of OPS and 25. @param more its other settings, in YAML */
export function jiraTemplate(more = ''): JiraTemplate {
  const site = 'url: https://jira.example, user: u, api_token: a-token-of-a-test'
  const { templates } = jiraSettings(`{ ${site}, templates: [{ ${TEMPLATE} ${more} }] }`)
  const [template] = templates
  if (template === undefined) throw new Error('there is no template in it')
  return template
}

/** The settings that each template needs, in YAML. */
export const TEMPLATE = "name: t, project_key: OPS, request_type_id: '25',"
