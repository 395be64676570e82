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
  /** Undefined if this is unknown. Then the gateway is asked. */
  readonly needsConfirmation?: boolean | undefined
}

/**
 * If the settings require it, asks the user to type the connection's name, or the number of connections. This
 * protects only from mistakes of the user: the gateway runs any request.
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
    throw new Failure(
      oneLine(`the value of --confirm must be ${what}, ${expected}, not ${given}`),
      exitCodes.usage,
    )
  if (!canAsk())
    throw new Failure(
      oneLine(`${file} needs a confirmation: add --confirm ${expected} (${what})`),
      exitCodes.usage,
    )
  const message = oneLine(`This runs ${file} on ${connections.join(', ')}. Type ${what} to continue`)
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
    // If there is no such endpoint, this is hoop's gateway. After another error of the embedded gateway, the
    // execution is refused at its start, with a better message.
    if (error instanceof ApiError && (error.kind === 'not-found' || error.code !== undefined)) return false
    if (error instanceof ApiError && error.kind === 'no-gateway') return false
    throw error
  }
}
