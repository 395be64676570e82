import * as v from 'valibot'
import { isLoopback } from '../../basics/net/address.ts'
import { certificatesIn, systemAuthorities } from '../../basics/net/authorities.ts'
import { proxyFrom, type ProxySettings } from '../../basics/net/proxy.ts'
import { Secret } from '../../basics/secret.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import {
  about,
  choice,
  duration,
  json,
  list,
  map,
  matching,
  parsed,
  truth,
} from '../../basics/settings/shapes.ts'
import { didYouMean } from '../../basics/text/nearest.ts'
import { TextLine, Name } from './words.ts'

// The shape of `jira` in gateway.yaml. The members of a template have the names of hoop's REST API.

const Required = matching(/^[^\p{Cc}]+$/u, 'one line of text that is not empty')
const Field = matching(/^[A-Za-z][\w.-]{0,254}$/, 'the id of a field, like summary or customfield_10050,')

const SiteUrl = parsed(
  siteUrl,
  'an address like https://NAME.atlassian.net, without user, password, ? and # (http:// on the loopback only),',
)

/** Removes the slash at the end, because paths are added to the address. */
function siteUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\\s]+(?:\/[^?#@\\\s]*)?$/i.test(text) || !URL.canParse(text)) return undefined
  const { protocol, hostname, href } = new URL(text)
  const isSafe = protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
  return isSafe ? href.replace(/\/+$/, '') : undefined
}

const Token = v.pipe(
  parsed(
    (text) => (/^[\x21-\x7e]{8,4096}$/.test(text) ? new Secret(text) : undefined),
    'a token of at least 8 printable characters without spaces',
  ),
  json({ writeOnly: true }),
)

export const Authorities = parsed(
  certificates,
  'certificates in PEM, or better file:// and the path of their file,',
)

function certificates(text: string): readonly string[] | undefined {
  try {
    return certificatesIn(text).map(String)
  } catch (error) {
    if (error instanceof SetUpError) return undefined
    throw error
  }
}

const description = about('description for people', v.nullish(TextLine, ''))
const field = about('id of the Jira field to fill', Field)
const required = about('whether the caller has to fill the field', v.nullish(truth, 'false'))

const MappingShape = map({
  description,
  type: about(
    'preset: value is the name of a fact of the session; custom: value is the text itself',
    choice({ preset: 'preset', custom: 'custom' }),
  ),
  jira_field: field,
  value: about('name of the preset, such as session.user_email, or the text that fills the field', Required),
})

const PromptShape = map({
  description,
  label: about('name of the field, for people', v.nullish(TextLine, '')),
  field_type: about(
    'kind of the field. select: the caller sends one of the options of the field; any other word: the caller sends a text',
    v.nullish(TextLine, 'text'),
  ),
  jira_field: field,
  required,
})

const CmdbShape = map({
  description,
  label: about('name of the field, for people', v.nullish(TextLine, '')),
  jira_field: field,
  jira_object_schema_id: about("id of the object's schema in Assets", v.nullish(TextLine, '')),
  jira_object_type: about("id of the object's type in Assets", v.nullish(TextLine, '')),
  required,
  value: about('hint for people who choose the object', v.nullish(TextLine, '')),
})

const items = <const Item extends v.GenericSchema>(meaning: string, item: Item, what: string) =>
  about(meaning, v.nullish(map({ items: v.nullish(list(item, what), []) }), {}))

const TemplateShape = map({
  name: about('name of the template, which connections[].jira refers to', Name),
  description,
  project_key: about(
    'key of the project of the service desk',
    matching(/^[A-Za-z][A-Za-z0-9_]{0,99}$/, 'the key of a project, like OPS,'),
  ),
  request_type_id: about(
    'number of the request type of new issues',
    matching(/^\d{1,20}$/, 'the number of a request type'),
  ),
  issue_transition_name_on_close: about(
    'name of the status to which an issue is moved after its session has ended',
    v.nullish(Required, 'done'),
  ),
  skip_transition_on_nonzero_exit_code: about(
    'whether the issue keeps its status when the exit code is not 0',
    v.nullish(truth, 'false'),
  ),
  mapping_types: items('fields that the gateway fills', MappingShape, 'mappings'),
  prompt_types: items('fields that callers fill (jira_fields)', PromptShape, 'prompts'),
  cmdb_types: items('fields of Assets that callers fill with the id of an object', CmdbShape, 'objects'),
})

export const JiraShape = map({
  url: about('address of the Jira site', SiteUrl),
  user: about(
    'email address of the account to which the API token belongs',
    matching(/^[^\p{Cc}:]{1,254}$/u, 'a name without a colon'),
  ),
  api_token: about(
    'API token of the account; a reference such as file://jira.token is safer than the token itself',
    Token,
  ),
  ca: about(
    "certificate authorities for the site's certificate (default: the authorities of the system)",
    v.nullish(Authorities),
  ),
  timeout: about(
    'maximum time for Jira to create or to move an issue; after that time the attempt fails',
    v.nullish(duration('1s', '4m'), '30s'),
  ),
  templates: about('templates of issues, by name', list(TemplateShape, 'templates')),
})

export type JiraShape = v.InferOutput<typeof JiraShape>
/** A template with its defaults. */
export type JiraTemplate = JiraShape['templates'][number]

export interface JiraSettings {
  /** Ends without a slash. */
  readonly url: string
  readonly user: string
  readonly token: Secret
  /** Limit for creating an issue, and for moving one. */
  readonly timeoutMs: number
  /** Certificates in PEM. Undefined if `gateway.yaml` has none. */
  readonly ca: readonly string[] | undefined
  /** Returns `ca`, or the system's authorities. The system has many, so they are read only when needed. */
  readonly authorities: () => readonly string[]
  /** Comes from the gateway's environment. */
  readonly proxy: ProxySettings | undefined
  readonly templates: readonly JiraTemplate[]
}

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

/** The values that a mapping of type `preset` may have. */
const JIRA_PRESETS = [
  'session.id',
  'session.user_email',
  'session.user_id',
  'session.user_name',
  'session.type',
  'session.subtype',
  'session.connection',
  'session.status',
  'session.script',
  'session.reason',
  'session.start_date',
  'session.webapp_link',
] as const

export type JiraPreset = (typeof JIRA_PRESETS)[number]

/**
 * A preset may also be this prefix and the key of a connection's tag. If the connection has no such tag, the
 * mapping fills nothing.
 */
const TAGS = 'session.connection_tags.'

export function jiraPreset(name: string): JiraPreset | undefined {
  return JIRA_PRESETS.find((preset) => preset === name)
}

/** Returns the key of the tag, or undefined for another preset. */
export function jiraTag(name: string): string | undefined {
  return name.startsWith(TAGS) ? name.slice(TAGS.length) : undefined
}

/** Returns why the preset is invalid, or undefined for a valid preset. */
function presetProblem(name: string): string | undefined {
  if (jiraPreset(name) !== undefined || name.startsWith(TAGS)) return undefined
  const known = didYouMean(name.slice(0, 100), JIRA_PRESETS) ?? `the presets are ${JIRA_PRESETS.join(', ')}`
  return `unknown preset; ${known}`
}
