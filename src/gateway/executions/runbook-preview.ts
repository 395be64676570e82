import type { RenderedAnswer } from '../../contract/executions.ts'
import { Redaction } from '../../policy/redaction/redactor.ts'
import { soundsSecret } from '../../policy/redaction/secret-names.ts'
import { formsOf, textsOfSecret } from '../../policy/redaction/secrets.ts'
import {
  MAX_PLACES,
  type RenderedTemplate,
  type Template,
  type TemplatePreview,
} from '../../template/runbook.ts'
import { shownPlaces } from '../sessions/shown-places.ts'
import type { RunbookServices } from './runbook-access.ts'
import { checkPacketSize, type RunbookExecution, runbookSource } from './runbook-execution.ts'
import { inputsOf, readTemplate, refusing, secretsAmong } from './runbook-request.ts'

/**
 * Shows the script that a run would send, without secrets. The answer is for people, and nothing can be run from it.
 * @param mayMiss if true, the script has placeholders where required values are missing; if false, that is refused as
 * a run is
 * @throws RequestRefused
 */
export async function previewRunbook(
  services: RunbookServices,
  execution: Omit<RunbookExecution, 'user'>,
  mayMiss: boolean,
): Promise<RenderedAnswer> {
  const { connection, body } = execution
  const { source, key } = runbookSource(services, execution)
  const { commit, warning, template } = await readTemplate(source, body)
  const parameters = new Map(Object.entries(body.parameters))
  const preview = refusing(() =>
    mayMiss ? template.preview(parameters) : withoutGaps(template.render(parameters)),
  )
  const { missing, text: script, env } = preview
  const envVars = new Map([...Object.entries(body.env_vars), ...env])
  if (missing.length === 0) checkPacketSize({ connection, envVars, clientArgs: body.client_args, script })
  const { hidden, unrecorded } = secretNames(template, parameters, preview)
  const { text, places } = shownText(preview, parameters, hidden)
  const marks = places.flatMap((place) => ('isPart' in place ? [] : [place]))
  const gaps = places.flatMap((place) => {
    if (!('isPart' in place)) return []
    const { isPart, ...gap } = place
    return [{ ...gap, is_part: isPart }]
  })
  return {
    repository: key,
    commit,
    connection: connection.name,
    script: text,
    missing: [...missing],
    env_vars: [...new Set([...envVars.keys(), ...preview.unknownVariables])].sort(),
    client_args: body.client_args,
    secret_parameters: [...unrecorded],
    ...(marks.length > 0 && { marks }),
    ...(gaps.length > 0 && { gaps }),
    ...(template.first !== undefined && { first: template.first.path }),
    ...(warning !== undefined && { warning }),
  }
}

function withoutGaps({ bytes, env, places }: RenderedTemplate): TemplatePreview {
  return { missing: [], text: bytes, env, places, unknownVariables: new Set(), possibleVariables: [] }
}

/**
 * A block that is left out may set a secret variable to any value. Then each value is hidden until it is certain which
 * one is secret.
 */
function secretNames(
  template: Template,
  parameters: ReadonlyMap<string, string>,
  { env, possibleVariables }: TemplatePreview,
) {
  const unrecorded = secretsAmong(parameters, inputsOf(template), env)
  const mayBeAny = possibleVariables.some((name) => name === undefined || soundsSecret(name))
  return { unrecorded, hidden: mayBeAny ? new Set(parameters.keys()) : unrecorded }
}

const HIDDEN = Buffer.from('••••••')

/**
 * Replaces what an expression made of a secret by dots, however short the secret is. Elsewhere, secrets are replaced as
 * in the history.
 */
function shownText(
  { text, places }: Pick<TemplatePreview, 'text' | 'places'>,
  parameters: ReadonlyMap<string, string>,
  names: ReadonlySet<string>,
) {
  const secrets = [...names].map((name) => Buffer.from(parameters.get(name) ?? ''))
  const given = secrets.filter(({ length }) => length > 0)
  if (given.length === 0)
    return { text: text.toString(), places: shownPlaces(text, places, (bytes) => bytes) }
  const pieces: Buffer[] = []
  let length = 0
  let from = 0
  const add = (until: number, isHidden: boolean): number => {
    const piece = isHidden && until > from ? HIDDEN : text.subarray(from, until)
    from = until
    pieces.push(piece)
    return (length += piece.length)
  }
  // Without a name, any parameter may be there: `{{ with .password }}{{ . }}{{ end }}`.
  const isSecret = (place: TemplatePreview['places'][number]) =>
    !('isPart' in place) && (place.names.length === 0 || place.names.some((name) => names.has(name)))
  const moved = places.map((place) => ({
    ...place,
    start: add(place.start, false),
    end: add(place.end, isSecret(place)),
  }))
  add(text.length, places.length >= MAX_PLACES)
  const masked = Buffer.concat(pieces, length)
  const redaction = new Redaction(formsOf(given.flatMap(textsOfSecret)))
  const shown = (bytes: Buffer) => redaction.replaceIn(bytes)
  return { text: shown(masked).toString(), places: shownPlaces(masked, moved, shown) }
}
