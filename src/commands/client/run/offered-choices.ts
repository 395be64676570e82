import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { fetchChoices, type Choice } from '../../../client/rest/choices.ts'

/** Returns the values of a parameter's list, and why there are none if the list cannot be read. */
export type OfferChoices = (
  parameter: string,
  of: string | undefined,
) => Promise<readonly Choice[] | { readonly problem: string }>

/** @param connection where the lists run */
export function choicesOn(account: Account, connection: string, file: string): OfferChoices {
  return async (parameter, of) => {
    try {
      return await fetchChoices(account, { connection, file, parameter, of })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { problem: error.message }
    }
  }
}
