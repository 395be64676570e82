import { systemAuthorities } from '../../basics/net/authorities.ts'
import { proxyFrom, type ProxySettings } from '../../basics/net/proxy.ts'
import type { Secret } from '../../basics/secret.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import { presetProblem } from './jira-presets.ts'
import type { JiraShape, JiraTemplate } from './shapes/jira-shape.ts'

/** One site of Jira, and the kinds of issues that are created there. */
export interface JiraSettings {
  /** Without a slash at its end. */
  readonly url: string
  readonly user: string
  readonly token: Secret
  /** To create an issue, and to move one. */
  readonly timeoutMs: number
  /** Those that the file names to sign the site's certificate, in PEM. */
  readonly ca: readonly string[] | undefined
  /** Those, or the system's. Read when it is needed: the system's are many. */
  readonly authorities: () => readonly string[]
  /** The proxy of the gateway's environment. */
  readonly proxy: ProxySettings | undefined
  readonly templates: readonly JiraTemplate[]
}

/** Checks the templates, and finds the way to the site. */
export function buildJira(shape: JiraShape, { env }: Sources, problems: Problems): JiraSettings {
  shape.templates.forEach((template, i) => checkPresets(template, i, problems))
  const { url, user, api_token: token, ca, timeout, templates } = shape
  const authorities = () => ca ?? systemAuthorities(env)
  return {
    url,
    user,
    token,
    timeoutMs: timeout,
    ca: ca ?? undefined,
    authorities,
    proxy: proxyFrom(env, problems),
    templates,
  }
}

function checkPresets(
  { mapping_types: { items } }: JiraTemplate,
  template: number,
  problems: Problems,
): void {
  items.forEach(({ type, value }, i) => {
    const problem = type === 'preset' ? presetProblem(value) : undefined
    const path = ['jira', 'templates', template, 'mapping_types', 'items', i, 'value']
    if (problem !== undefined) problems.add(path, problem)
  })
}
