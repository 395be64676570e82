import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { executionContract } from '../../../contract/executions.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { askText, canAsk } from '../terminal/prompts.ts'

interface Meant {
  readonly file: string
  readonly repository: string | null | undefined
  readonly connections: readonly string[]
  /** Whether the gateway has already said that it needs a confirmation; undefined: it is asked. */
  readonly needsConfirmation?: boolean | undefined
}

/**
 * Asks the user to type the target, if the gateway's settings require it: the name of the connection, or the
 * number of connections. This protects from a slip only; the gateway itself runs any request.
 * @param given the value of `--confirm`
 * @throws Failure, exit code 64; ApiError
 */
export async function confirmed(account: Account, meant: Meant, given: string | undefined): Promise<void> {
  if (!(meant.needsConfirmation ?? (await needsConfirmation(account, meant)))) return
  const { connections, file } = meant
  const [only = ''] = connections
  const expected = connections.length === 1 ? only : String(connections.length)
  const what = connections.length === 1 ? 'the name of the connection' : 'the number of connections'
  if (given === expected) return
  if (given !== undefined)
    throw new Failure(oneLine(`--confirm is ${given}, and ${what} is ${expected}`), exitCodes.usage)
  if (!canAsk())
    throw new Failure(
      oneLine(`${file} has to be confirmed: add --confirm ${expected} (${what})`),
      exitCodes.usage,
    )
  const message = oneLine(`This runs ${file} on ${connections.join(', ')}. Type ${what} to go on`)
  await askText(message, undefined, (text) => text === expected || `Type ${oneLine(expected)}`)
}

async function needsConfirmation(
  account: Account,
  { file, repository, connections }: Meant,
): Promise<boolean> {
  const body = { file_name: file, connections, ...(repository != null && { repository }) }
  try {
    const answers = await call(account, executionContract.foresee, {}, { body })
    return answers.some(({ confirm }) => confirm)
  } catch (error) {
    // hoop's gateway has no such endpoint. A refusal of the embedded gateway comes again when the execution
    // starts, with the execution's words.
    if (error instanceof ApiError && (error.kind === 'not-found' || error.code !== undefined)) return false
    if (error instanceof ApiError && error.kind === 'no-gateway') return false
    throw error
  }
}
