import type { ChoiceAnswer } from '../../contract/choices.ts'
import { executionContract } from '../../contract/executions.ts'
import type { Account } from '../account/account.ts'
import { call } from './call.ts'

export type Choice = ChoiceAnswer

interface AskedChoices {
  readonly connection: string
  readonly file: string
  readonly parameter: string
  /** Value of the parameter that chooses among the values. */
  readonly of?: string | undefined
  /** True for a copy of the gateway only, which takes no session. */
  readonly isCached?: boolean
}

/** Returns the values that the list of a parameter has. @throws ApiError */
export async function fetchChoices(
  account: Account,
  { connection, file, parameter, of, isCached = false }: AskedChoices,
  signal?: AbortSignal,
): Promise<readonly Choice[]> {
  const query = {
    connection_name: connection,
    file_name: file,
    parameter,
    ...(of !== undefined && { of }),
    ...(isCached && { cached: 'true' }),
  }
  return (await call(account, executionContract.choices, {}, { query, signal })).choices
}
