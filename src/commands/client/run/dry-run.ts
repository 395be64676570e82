import { printableJson, printableText } from '../../../basics/printable.ts'
import type { Account } from '../../../client/account.ts'
import { ApiError } from '../../../client/api-error.ts'
import { renderRunbook, type ExecutionRequest } from '../../../client/execution-request.ts'
import type { Runbook } from '../../../client/runbooks.ts'

const HIDDEN = '<hidden>'

/** What would be sent, as JSON, without what nobody should read over a shoulder. */
function shown(request: ExecutionRequest, runbook: Runbook | undefined): object {
  const hidden = new Set(runbook?.parameters.filter(isSecret).map(({ name }) => name))
  return {
    connection: request.connection,
    repository: request.repository ?? null,
    file: request.file,
    ref: request.refHash ?? null,
    parameters: mapped(request.parameters, (name, value) => (hidden.has(name) ? HIDDEN : value)),
    env_vars: mapped(request.envVars, () => HIDDEN),
    client_args: request.clientArgs,
    metadata: request.metadata,
  }
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

/** The texts of the parameters that are secret, for a script that may hold them. */
function secrets(request: ExecutionRequest, runbook: Runbook | undefined): string[] {
  const names = runbook?.parameters.filter(isSecret).map(({ name }) => name) ?? []
  return names.map((name) => request.parameters[name] ?? '').filter((text) => text !== '')
}

export interface DryRun {
  /** For stdout. */
  readonly text: string
  /** Why there is no script; for stderr. */
  readonly notice: string | undefined
}

/** What would be sent and what would run. @throws ApiError where the gateway would not run it */
export async function dryRun(
  account: Account,
  request: ExecutionRequest,
  { runbook, json }: { readonly runbook: Runbook | undefined; readonly json: boolean },
): Promise<DryRun> {
  const script = await scriptOf(account, request)
  const plain = script === undefined ? undefined : masked(script, secrets(request, runbook))
  const sent = shown(request, runbook)
  const notice =
    plain === undefined ? 'this gateway cannot show the script: only the embedded gateway can' : undefined
  if (json) return { text: `${printableJson({ ...sent, script: plain ?? null }, 2)}\n`, notice }
  const parts = [
    `would send:\n${printableJson(sent, 2)}\n`,
    plain === undefined ? '' : `\nwould run:\n${ended(plain)}`,
  ]
  return { text: parts.join(''), notice }
}

async function scriptOf(account: Account, request: ExecutionRequest): Promise<string | undefined> {
  try {
    return await renderRunbook(account, request)
  } catch (error) {
    if (error instanceof ApiError && isMissingEndpoint(error)) return undefined
    throw error
  }
}

/** Its 404s name what is not there: the connection, the file, or the endpoint itself. */
function isMissingEndpoint({ kind, message }: ApiError): boolean {
  return kind === 'no-gateway' || (kind === 'not-found' && message.includes('endpoint'))
}

function masked(script: string, hidden: readonly string[]): string {
  return hidden.reduce((text, secret) => text.replaceAll(secret, HIDDEN), script)
}

function ended(script: string): string {
  return printableText(script.endsWith('\n') ? script : `${script}\n`)
}
