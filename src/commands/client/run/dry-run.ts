import { printableJson, printableText } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import {
  renderLocally,
  type RestExecution,
  type RenderedFile,
} from '../../../client/running/execution-request.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'

const HIDDEN = '<hidden>'

/** The request as JSON, with secret values hidden. */
function shown(request: RestExecution, secret: ReadonlySet<string>): object {
  return {
    connection: request.connection,
    repository: request.repository ?? null,
    file: request.file,
    ref: request.refHash ?? null,
    parameters: mapped(request.parameters, (name, value) => (secret.has(name) ? HIDDEN : value)),
    env_vars: mapped(request.envVars, () => HIDDEN),
    client_args: request.clientArgs,
    metadata: request.metadata,
  }
}

/**
 * The names of secret parameters, by the gateway's answer or list. All names for another commit, or a file in no list.
 */
function secretNames(
  { parameters, refHash }: RestExecution,
  runbook: Runbook | undefined,
  rendered: RenderedFile | undefined,
): ReadonlySet<string> {
  if (rendered?.secretParameters !== undefined) return new Set(rendered.secretParameters)
  const declared = refHash === undefined ? (runbook?.parameters ?? []) : []
  const open = new Set(declared.filter((parameter) => !isSecret(parameter)).map(({ name }) => name))
  return new Set(Object.keys(parameters).filter((name) => !open.has(name)))
}

function isSecret({ type }: { readonly type: string }): boolean {
  return type === 'password' || type === 'file'
}

function mapped(
  texts: Readonly<Record<string, string>>,
  map: (name: string, value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, map(name, value)]))
}

export interface DryRun {
  readonly text: string
  /** The reason why there is no script, for stderr. */
  readonly notice: string | undefined
}

/** The request, and the script that would run. @throws ApiError when the gateway would refuse the request */
export async function dryRun(
  account: Account,
  request: RestExecution,
  { runbook, json }: { readonly runbook: Runbook | undefined; readonly json: boolean },
): Promise<DryRun> {
  const rendered = await renderedBy(account, request)
  const secret = secretNames(request, runbook, rendered)
  const plain = rendered && masked(rendered.script, textsOf(request, secret))
  const sent = shown(request, secret)
  const notice =
    plain === undefined ? 'this gateway cannot show the script: only the embedded gateway can' : undefined
  if (json) return { text: `${printableJson({ ...sent, script: plain ?? null }, 2)}\n`, notice }
  const parts = [
    `would send:\n${printableJson(sent, 2)}\n`,
    plain === undefined ? '' : `\nwould run:\n${ended(plain)}`,
  ]
  return { text: parts.join(''), notice }
}

async function renderedBy(account: Account, request: RestExecution): Promise<RenderedFile | undefined> {
  try {
    return await renderLocally(account, request)
  } catch (error) {
    if (error instanceof ApiError && isMissingEndpoint(error)) return undefined
    throw error
  }
}

/** Whether a 404 is about the endpoint, not about the connection or the file. */
function isMissingEndpoint({ kind, code, message }: ApiError): boolean {
  if (code !== undefined) return code === 'endpoint-not-found'
  return kind === 'no-gateway' || (kind === 'not-found' && message.includes('endpoint'))
}

/** The values to hide, longest first: one may be part of another. */
function textsOf({ parameters }: RestExecution, names: ReadonlySet<string>): string[] {
  return Object.entries(parameters)
    .filter(([name, text]) => names.has(name) && text !== '')
    .map(([, text]) => text)
    .sort((a, b) => b.length - a.length)
}

function masked(script: string, hidden: readonly string[]): string {
  return hidden.reduce((text, secret) => text.replaceAll(secret, HIDDEN), script)
}

function ended(script: string): string {
  return printableText(script.endsWith('\n') ? script : `${script}\n`)
}
