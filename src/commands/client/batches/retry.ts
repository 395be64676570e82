import { oneLine, printableText } from '../../../basics/text/printable.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { batchContract } from '../../../contract/batches.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { readAccount } from '../asking/account.ts'
import { unlessLacking } from '../asking/asking.ts'
import { readFiles, readPairs, readVariables } from '../input.ts'
import { clientFailure } from '../report/failures.ts'
import { confirmed } from '../run/confirmation.ts'
import { givenParameters } from '../run/parameters.ts'
import { withReason } from '../run/reason.ts'
import { Interrupts } from '../terminal/leaving.ts'
import { askUnseen, canAsk } from '../terminal/prompts.ts'
import { LIST, showBatch, watchBatch } from './batches.ts'
import { confirm, CREATE_MS, sayCreated, type RunBatchFlags } from './run-batch.ts'
import type { BatchRead } from './texts.ts'

type Repeated =
  | 'profile'
  | 'param'
  | 'paramFile'
  | 'env'
  | 'file'
  | 'jira'
  | 'reason'
  | 'whenApproved'
  | 'wait'
  | 'json'
  | 'quiet'

export interface RetryFlags extends Pick<RunBatchFlags, Repeated | 'on' | 'yes' | 'confirm'> {
  readonly commit?: string
}

/**
 * Runs connections of an ended batch again.
 * @returns this program's exit code
 * @throws Failure
 */
export async function retryCommand(
  id: string,
  clientArgs: readonly string[],
  flags: RetryFlags,
): Promise<number> {
  const account = readAccount(flags.profile)
  const named = flags.on?.flatMap((text) => text.split(',').map((name) => name.trim())).filter(Boolean)
  const values = new Values(await givenParameters(flags), flags, clientArgs)
  try {
    const origin = await unlessLacking(account, LIST, showBatch(account, id))
    if (flags.quiet !== true) sayGroups(origin)
    const names = named ?? chosen(origin, (group) => group === 'failed' || group === 'never-began')
    const body = {
      ...(await values.complete(origin)),
      ...(named !== undefined && { connections: named }),
      ...(flags.commit !== undefined && { commit: flags.commit }),
      jira_fields: Object.fromEntries(readPairs(flags.jira ?? [], '--jira')),
      when_approved: flags.whenApproved === true,
      ...(flags.reason !== undefined && { reason: flags.reason }),
    }
    const { file_name: file, repository } = origin
    if (names.length > 0) {
      await confirm(file, names, { ...flags, waves: wavesOf(origin, names) })
      await confirmed(account, { file, repository, connections: names }, flags.confirm)
    }
    using interrupts = new Interrupts()
    const batch = await withReason(body, (one) =>
      call(account, batchContract.retry, { id: origin.id }, { body: one, answerMs: CREATE_MS }),
    )
    if (flags.wait !== false) return await watchBatch(account, batch, flags, interrupts)
    await sayCreated(account, batch, flags)
    return exitCodes.done
  } catch (error) {
    if (error instanceof ApiError) sayPresent(error)
    throw clientFailure(error, oneLine(`cannot retry batch ${id}`), account)
  }
}

function chosen({ runs }: BatchRead, isWanted: (group: string) => boolean): string[] {
  return runs.filter(({ retry_group: group }) => isWanted(group)).map(({ connection }) => connection)
}

/** The gateway makes the same waves. */
function wavesOf({ runs }: BatchRead, names: readonly string[]): string {
  const sizes = new Map<number, number>()
  for (const { wave, connection } of runs)
    if (names.includes(connection)) sizes.set(wave, (sizes.get(wave) ?? 0) + 1)
  return [...sizes.values()].join()
}

const GROUPS = [
  ['failed', 'failed'],
  ['never-began', 'never began'],
  ['may-have-run', 'may have had an effect, runs again only with --on'],
] as const

function sayGroups(batch: BatchRead): void {
  for (const [group, words] of GROUPS) {
    const names = chosen(batch, (one) => one === group)
    if (names.length > 0) say(`${words}: ${names.join(', ')}`)
  }
}

/** Shows what the present commit changes, before the failure that names the commit. */
function sayPresent({ present }: ApiError): void {
  if (present === undefined) return
  if (present.diff !== null) process.stderr.write(printableText(present.diff))
  if (present.note !== null) say(present.note)
}

function say(text: string): void {
  process.stderr.write(`runbook-agent: ${oneLine(text)}\n`)
}

/** The values that the history does not have. */
class Values {
  readonly #parameters: Map<string, string>
  readonly #variables: Map<string, string>
  readonly #clientArgs: readonly string[]

  constructor(
    parameters: ReadonlyMap<string, string>,
    { env = [], file = [] }: Pick<RetryFlags, 'env' | 'file'>,
    clientArgs: readonly string[],
  ) {
    this.#parameters = new Map(parameters)
    this.#variables = new Map([...readVariables(env), ...readFiles(file)])
    this.#clientArgs = clientArgs
  }

  /** Asks for missing values on a terminal. @throws Failure if the user cannot be asked for all of them */
  async complete({ not_recorded: wanted }: BatchRead) {
    const parameters = (wanted?.parameters ?? []).filter((name) => !this.#parameters.has(name))
    const variables = (wanted?.env_vars ?? []).filter((name) => !this.#variables.has(name))
    const files = variables.filter((name) => !name.startsWith(VARIABLE))
    const hasNoArguments = wanted?.client_args === true && this.#clientArgs.length === 0
    if (files.length > 0 || hasNoArguments || !canAsk()) refuse({ parameters, variables, hasNoArguments })
    for (const name of parameters) this.#parameters.set(name, await askUnseen(oneLine(name)))
    for (const name of variables) {
      const value = await askUnseen(oneLine(name.slice(VARIABLE.length)))
      this.#variables.set(name, Buffer.from(value).toString('base64'))
    }
    return {
      parameters: Object.fromEntries(this.#parameters),
      env_vars: Object.fromEntries(this.#variables),
      client_args: this.#clientArgs,
    }
  }
}

const VARIABLE = 'envvar:'

interface Missing {
  readonly parameters: readonly string[]
  readonly variables: readonly string[]
  readonly hasNoArguments: boolean
}

/** @throws Failure, exit code 64, if something is missing */
function refuse({ parameters, variables, hasNoArguments }: Missing): void {
  const flags = [
    ...parameters.map((name) => `-p ${name}=...`),
    ...variables.map((name) =>
      name.startsWith(VARIABLE)
        ? `-e ${name.slice(VARIABLE.length)}=...`
        : `-f ${name.replace(/^filesystem:/, '')}=...`,
    ),
    ...(hasNoArguments ? ['the arguments after --'] : []),
  ]
  if (flags.length === 0) return
  throw new Failure(
    oneLine(`the values of the batch are not recorded, so give them again: ${flags.join(', ')}`),
    exitCodes.usage,
  )
}
