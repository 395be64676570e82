import { createHash } from 'node:crypto'
import { didYouMean } from '../../basics/text/nearest.ts'
import { soundsSecret } from '../../policy/redaction/secret-names.ts'
import { chosenValues } from '../../template/options-from.ts'
import { parseTemplate, type Template, TemplateError, type Input } from '../../template/runbook.ts'
import { leadingComment } from '../runbooks/leading-comment.ts'
import { isInFolder } from '../runbooks/catalog.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import { oldCopyText } from '../runbooks/old-copy.ts'
import type { RunbookRepository } from '../runbooks/repository.ts'
import type { RunbookBody } from '../../contract/executions.ts'
import { refused, RequestRefused } from '../refusals/request-refused.ts'
import type { ChosenValues, RenderedOrigin } from '../sessions/session-request.ts'

interface RenderedRunbook {
  readonly script: Buffer
  /** Values that the template sets with `asenv` replace values of the request. */
  readonly envVars: ReadonlyMap<string, string>
  readonly labels: Readonly<Record<string, string>>
  /** Names of the parameters whose values are secret. The history has no such values. */
  readonly secretParameters: ReadonlySet<string>
  /** All parameters that are not empty. A parameter that was left out has its default. */
  readonly effective: ReadonlyMap<string, string>
  /** Values of parameters of type password or file. The recorded script does not contain them. */
  readonly secretValues: readonly Buffer[]
  readonly origin: RenderedOrigin
  /** Undefined if no value has to be in a list. */
  readonly choices: ChosenValues | undefined
  /** Path of the runbook that runs before this one. */
  readonly first: string | undefined
  /** Full id of the file's commit. */
  readonly commit: string
  /** Set if the runbook comes from an old copy of the repository. */
  readonly warning: string | undefined
}

/** Recorded in the place of a secret value. */
export const NOT_RECORDED = '[not recorded]'
const UNRECORDED_TYPES = new Set(['password', 'file'])

export interface RunbookSource {
  readonly repository: RunbookRepository
  readonly folder: string
}

/** @throws RequestRefused 400, 404 or 500 with the texts of protocol.md 10.3 */
export async function renderRunbook(source: RunbookSource, body: RunbookBody): Promise<RenderedRunbook> {
  const { text, commit, warning, template } = await readTemplate(source, body)
  const parameters = new Map(Object.entries(body.parameters))
  const rendered = refusing(() => template.render(parameters))
  const inputs = inputsOf(template)
  const values = chosenValues(inputs, template.defaults, parameters)
  const { title } = leadingComment(text)
  const secretParameters = secretsAmong(parameters, inputs, rendered.env)
  return {
    script: rendered.bytes,
    envVars: new Map([...Object.entries(body.env_vars), ...rendered.env]),
    first: template.first?.path,
    commit,
    warning,
    origin: { places: rendered.places, sha256: createHash('sha256').update(text).digest('hex') },
    secretParameters,
    choices: values.length === 0 ? undefined : { commit, values },
    effective: withDefaults(parameters, template),
    secretValues: inputs
      .filter(({ type }) => UNRECORDED_TYPES.has(type))
      .map(({ name }) => Buffer.from(parameters.get(name) ?? '')),
    labels: {
      runbookFile: body.file_name,
      ...(title !== undefined && { runbookTitle: title }),
      runbookCommit: commit,
      ...(warning !== undefined && { runbookWarning: warning }),
      runbookParameters: JSON.stringify(recorded(parameters, secretParameters)),
    },
  }
}

/** Reads the file of the request. @throws RequestRefused */
export async function readTemplate(source: RunbookSource, body: NamedRunbook) {
  const { text, commit, oldCopy } = await readFile(source, body)
  return {
    text,
    commit,
    warning: oldCopy && oldCopyText(oldCopy),
    template: refusing(() => parseTemplate(text)),
  }
}

export function inputsOf({ inputs, inBlocks }: Template): readonly Input[] {
  return [...inputs, ...inBlocks]
}

type NamedRunbook = Pick<RunbookBody, 'file_name' | 'ref_hash'>

async function readFile(source: RunbookSource, body: NamedRunbook) {
  try {
    return await source.repository.readFile(body.file_name, body.ref_hash === '' ? undefined : body.ref_hash)
  } catch (error) {
    if (!(error instanceof RunbookError)) throw error
    throw new RequestRefused(error.code, `${error.message}${await suggestion(error, source, body)}`)
  }
}

/** Suggests only runbooks that the caller may see. */
async function suggestion(error: RunbookError, source: RunbookSource, body: NamedRunbook): Promise<string> {
  if (error.fault !== 'missing' || body.ref_hash !== '') return ''
  const meant = didYouMean(body.file_name, await runbookNames(source))
  return meant === undefined ? '' : `: ${meant}`
}

/** Returns an empty list when the repository cannot be read. */
async function runbookNames({ repository, folder }: RunbookSource): Promise<string[]> {
  try {
    const { runbooks } = await repository.list([folder])
    return runbooks.map(({ path }) => path).filter((path) => isInFolder(path, folder))
  } catch (error) {
    if (error instanceof RunbookError) return []
    throw error
  }
}

/** Turns errors of templates into refusals. @throws RequestRefused */
export function refusing<T>(made: () => T): T {
  try {
    return made()
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw error.stage === 'parse'
      ? refused('invalid-runbook/template', { problem: error.message })
      : refused('invalid-parameters', { problem: error.message })
  }
}

function withDefaults(
  parameters: ReadonlyMap<string, string>,
  template: Template,
): ReadonlyMap<string, string> {
  const texts = inputsOf(template).map(
    ({ name, default: shown = '' }) => [name, template.defaults.get(name) ?? shown] as const,
  )
  return new Map([...texts, ...parameters].filter(([, value]) => value !== ''))
}

/** A parameter is secret by its type, by its name, or by the variable that it sets. */
export function secretsAmong(
  parameters: ReadonlyMap<string, string>,
  inputs: readonly Input[],
  env: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const hidden = inputs.filter(({ type }) => UNRECORDED_TYPES.has(type))
  const inSecretVariables = new Set(
    [...env].filter(([key]) => soundsSecret(key.replace(/^envvar:/, ''))).map(([, value]) => value),
  )
  const secret = [...parameters].filter(
    ([name, value]) => soundsSecret(name) || inSecretVariables.has(Buffer.from(value).toString('base64')),
  )
  return new Set([...hidden.map(({ name }) => name), ...secret.map(([name]) => name)])
}

function recorded(
  parameters: ReadonlyMap<string, string>,
  secret: ReadonlySet<string>,
): Record<string, string> {
  return Object.fromEntries(
    [...parameters].map(([name, value]) => [name, secret.has(name) ? NOT_RECORDED : value]),
  )
}
