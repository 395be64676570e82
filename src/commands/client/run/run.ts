import { randomUUID } from 'node:crypto'
import { isatty } from 'node:tty'
import { oneLine, printableJson, printableText } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'
import {
  type RestExecution,
  renderLocally,
  type RenderedFile,
} from '../../../client/running/execution-request.ts'
import { executeByRest, ReviewRejected } from '../../../client/running/execution.ts'
import type { ExecutionSight } from '../../../client/running/follow.ts'
import type { Outcome } from '../../../client/running/outcome.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { readAccount } from '../asking/account.ts'
import { readPairs, readVariables, readFiles } from '../input.ts'
import { type EndingFlags, showEnding } from '../report/ending.ts'
import { clientFailure } from '../report/failures.ts'
import { canAsk } from '../terminal/prompts.ts'
import { SessionOutput } from '../terminal/output.ts'
import {
  completeParameters,
  givenParameters,
  type EarlierValues,
  type ParameterFlags,
  withEarlier,
  withFiles,
} from './parameters.ts'
import { confirmed } from './confirmation.ts'
import { runPair, stepOf, wayOn } from './pair.ts'
import { withReason } from './reason.ts'
import { choicesOn, type OfferChoices } from './offered-choices.ts'
import { findTarget, type Target, withSuggestion } from './target.ts'
import { executeWatched } from './watched-execution.ts'

export interface RunFlags extends ParameterFlags {
  readonly env?: readonly string[]
  readonly file?: readonly string[]
  readonly metadata?: readonly string[]
  readonly jira?: readonly string[]
  readonly ref?: string
  readonly repository?: string
  /** This value replaces the confirmation that the user would type. */
  readonly confirm?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
  /** If true, the gateway itself runs the session after the approval. */
  readonly whenApproved?: boolean
  readonly reason?: string
  /** `run`, or the id of the session of the first runbook. */
  readonly first?: string
  readonly despiteFirst?: boolean
  readonly wait?: boolean
  readonly profile?: string
}

export interface RunArguments {
  readonly connection: string
  readonly file: string
  readonly clientArgs: readonly string[]
}

/**
 * @param earlier the run whose values are used again
 * @returns this program's exit code
 * @throws Failure
 */
export async function runRunbook(
  what: RunArguments,
  flags: RunFlags,
  earlier?: EarlierValues,
): Promise<number> {
  const { connection, file } = what
  const account = readAccount(flags.profile)
  const given = withEarlier(await givenParameters(flags), flags, earlier)
  const envVars = {
    ...Object.fromEntries(readVariables(flags.env ?? [])),
    ...Object.fromEntries(readFiles(flags.file ?? [])),
  }
  const metadata = Object.fromEntries(readPairs(flags.metadata ?? [], '--metadata'))
  try {
    const target = await findTarget(account, { connection, file, repository: flags.repository })
    const offer = choicesOn(account, connection, file)
    const parameters = Object.fromEntries(await allParameters(target, given, flags, offer))
    const { repository, runbook } = target
    const step = stepOf(target, file, flags)
    const meant = { repository, connections: [connection] }
    const confirm = () =>
      confirmed(account, { ...meant, file, needsConfirmation: runbook?.needsConfirmation }, flags.confirm)
    if ('first' in step) await confirmed(account, { ...meant, file: step.first }, flags.confirm)
    else if (flags.dryRun !== true) await confirm()
    const issue = flags.dryRun === true ? {} : await completeFields(account, connection, flags.jira)
    const correlationId = `runbook-agent-${randomUUID()}`
    const request = {
      ...what,
      repository,
      refHash: flags.ref,
      parameters,
      envVars,
      metadata,
      jiraFields: issue,
      whenApproved: flags.whenApproved === true,
      ...(flags.reason !== undefined && { reason: flags.reason }),
      ...(flags.first !== undefined && { first: flags.first }),
      despiteFirst: flags.despiteFirst === true,
      correlationId,
    }
    return await runTarget(account, request, target, { ...flags, step: step.kind, confirmSecond: confirm })
  } catch (error) {
    if (error instanceof ReviewRejected) throw new Failure(oneLine(error.message), exitCodes.refused)
    throw clientFailure(error, oneLine(`cannot run ${file} on ${connection}`), account)
  }
}

/** Loads the code for Jira only if fields are given or the user can be asked. */
async function completeFields(
  account: Account,
  connection: string,
  given: readonly string[] = [],
): Promise<RestExecution['jiraFields']> {
  if (given.length === 0 && !canAsk()) return {}
  return (await import('./ask.ts')).jiraFields(account, connection, given)
}

interface Steps {
  readonly step: ReturnType<typeof stepOf>['kind']
  /** Lets the user confirm the run of the second runbook of a pair. */
  readonly confirmSecond: () => Promise<void>
}

async function runTarget(
  account: Account,
  request: RestExecution,
  target: Target,
  { step, confirmSecond: confirm, ...flags }: RunFlags & Steps,
): Promise<number> {
  const { json = false, quiet = false } = flags
  try {
    if (flags.dryRun === true)
      return showDryRun(await dryRun(account, request, { runbook: target.runbook, json }))
    const output = new SessionOutput()
    const asked = { ...flags, json, quiet }
    const { connection } = request
    const show = (ended: Outcome) => {
      const { sessionId } = ended
      const subject = { verb: 'run', connection, address: account.rest.url, sessionId } as const
      return showEnding(ended, subject, { json, quiet }, output)
    }
    const send = (one: RestExecution) => executed(account, one, asked, output)
    const ended = await withReason(request, (one) =>
      step === 'both' ? runPair(one, { send, show, confirm }) : send(one),
    )
    if ('leftWith' in ended) return ended.leftWith
    const code = await show(ended)
    if (step === 'first' && !json && !quiet)
      process.stderr.write(`runbook-agent: to continue: ${wayOn(ended.sessionId, code !== 0)}\n`)
    return code
  } catch (error) {
    if (target.runbook === undefined) throw withSuggestion(error, target, request.file)
    // ask.ts is loaded only here, because the engine for patterns takes long to load.
    const { withParameterName } = await import('./ask.ts')
    throw withParameterName(error, target.runbook, request.parameters)
  }
}

/** @returns the outcome, or this program's exit code if the program does not wait for the end */
async function executed(
  account: Account,
  request: RestExecution,
  flags: RunFlags & EndingFlags,
  output: SessionOutput,
): Promise<Outcome | { readonly leftWith: number }> {
  if (flags.wait === false) {
    return (await startOnly(account, request, flags, output)) ?? { leftWith: exitCodes.done }
  }
  const isShown = isatty(2) && !flags.quiet
  return executeWatched(account, request, { isShown, isLive: !flags.json, output })
}

function showDryRun({ text, notices }: DryRun): number {
  process.stdout.write(text)
  for (const notice of notices) process.stderr.write(`runbook-agent: ${oneLine(notice)}\n`)
  return exitCodes.done
}

/**
 * Completes and checks the parameters. For another commit (`--ref`) or an unlisted file, only the gateway
 * knows the parameters, and so the gateway checks them.
 */
async function allParameters(
  { runbook }: Target,
  given: ReadonlyMap<string, string>,
  flags: RunFlags,
  offer: OfferChoices,
): Promise<ReadonlyMap<string, string>> {
  if (runbook === undefined) return given
  if (flags.ref !== undefined) return withFiles(runbook, given, flags.param)
  return completeParameters(runbook, given, { ...flags, mayMiss: flags.dryRun === true }, offer)
}

/**
 * For `--no-wait`: prints the session's id as soon as the gateway has answered.
 * @returns undefined, or the outcome if the session has already ended
 */
async function startOnly(
  account: Account,
  request: RestExecution,
  { json, quiet }: EndingFlags,
  output: SessionOutput,
): Promise<Outcome | undefined> {
  const leaving = new AbortController()
  const sights = executeByRest(account, request, { signal: leaving.signal, isLive: true })
  for (;;) {
    const { done, value: sight } = await sights.next()
    if (done === true) return sight
    if (sight.kind === 'warning') await output.say(`runbook-agent: ${oneLine(sight.text)}`)
    if (sight.kind !== 'review' && sight.kind !== 'going-on') continue
    leaving.abort()
    const url = sight.kind === 'review' ? sight.url : undefined
    const started = { session_id: sight.id, has_review: url !== undefined, url }
    await output.stdout.write(Buffer.from(json ? `${printableJson(started)}\n` : `${oneLine(sight.id)}\n`))
    if (!json && !quiet) await output.say(await waysOn(account, sight, request.whenApproved === true))
    return undefined
  }
}

type Started = Extract<ExecutionSight, { readonly kind: 'review' | 'going-on' }>

async function waysOn(account: Account, sight: Started, whenApproved: boolean): Promise<string> {
  const id = oneLine(sight.id)
  if (sight.kind === 'going-on') {
    const when = sight.lock === undefined ? '' : ' as soon as its lock is free'
    return `runbook-agent: session ${id} runs${when}. To see the output: runbook-agent sessions follow ${id}`
  }
  const { awaitedReviewers, waitingText, waysBack } = await import('../report/awaited.ts')
  const waiting = waitingText(await awaitedReviewers(account, sight.id), sight.url)
  return `runbook-agent: session ${id} is ${waiting}\n${waysBack(sight.id, whenApproved)}`
}

const HIDDEN = '<hidden>'

/** Returns the request with hidden secret values. */
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
    ...(request.reason !== undefined && { reason: request.reason }),
  }
}

/**
 * Returns the names of secret parameters. Another commit or an unlisted file may declare any parameter as
 * secret. Then all names are returned.
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

interface DryRun {
  readonly text: string
  /** Why `text` has no script, or which values are missing. They are printed on stderr. */
  readonly notices: readonly string[]
}

/** @throws ApiError if the gateway would refuse the request */
async function dryRun(
  account: Account,
  request: RestExecution,
  { runbook, json }: { readonly runbook: Runbook | undefined; readonly json: boolean },
): Promise<DryRun> {
  const rendered = await renderedBy(account, request)
  const secret = secretNames(request, runbook, rendered)
  const plain = rendered && masked(rendered.script, textsOf(request, secret))
  const sent = shown(request, secret)
  const missing = rendered?.missing ?? missingNames(request, runbook)
  const notices = [
    ...(plain === undefined ? ['this gateway cannot show the script: only the embedded gateway can'] : []),
    ...(missing.length > 0 ? [`cannot run yet: values are missing for ${missing.join(', ')}`] : []),
  ]
  if (json) return { text: `${printableJson({ ...sent, script: plain ?? null, missing }, 2)}\n`, notices }
  const parts = [
    `would send:\n${printableJson(sent, 2)}\n`,
    plain === undefined ? '' : `\nwould run:\n${ended(plain)}`,
  ]
  return { text: parts.join(''), notices }
}

function missingNames({ parameters }: RestExecution, runbook: Runbook | undefined): readonly string[] {
  const { parameters: declared = [] } = runbook ?? {}
  return declared.filter(({ name, required }) => required && !(name in parameters)).map(({ name }) => name)
}

async function renderedBy(account: Account, request: RestExecution): Promise<RenderedFile | undefined> {
  try {
    return await renderLocally(account, request)
  } catch (error) {
    if (error instanceof ApiError && isMissingEndpoint(error)) return undefined
    throw error
  }
}

/** Whether the gateway lacks the endpoint. A missing connection or file is another error. */
function isMissingEndpoint({ kind, code, message }: ApiError): boolean {
  if (code !== undefined) return code === 'endpoint-not-found'
  return kind === 'no-gateway' || (kind === 'not-found' && message.includes('endpoint'))
}

/** Returns the longest text first, because a value may be part of a longer value. */
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
