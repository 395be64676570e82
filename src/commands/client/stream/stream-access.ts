import type { Account } from '../../../client/account/account.ts'
import type { StreamAccess } from '../../../client/running/client-session.ts'
import { findGrpcUrl } from '../../../client/rest/gateway.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { clientFailure } from '../report/failures.ts'
import { readAccount } from '../asking/account-from-env.ts'

/** Access to the streams, with the account for requests beside them. */
export interface AccountAccess extends StreamAccess {
  readonly account: Account
}

/** @throws Failure when nobody is signed in, or the gateway does not say where its streams are */
export async function streamAccess(profile: string | undefined): Promise<AccountAccess> {
  const account = readAccount(profile)
  try {
    const destination = account.destination(await findGrpcUrl(account))
    return { account, destination, proxy: account.proxyTo(destination.address), token: account.token }
  } catch (error) {
    throw clientFailure(error, 'no session')
  }
}

/** Checks a name that is sent in a header. @throws Failure, exit code 64 */
export function connectionName(text: string): string {
  if (/^[\x21-\x7e]{1,254}$/.test(text)) return text
  throw new Failure('the name of a connection is one word of ASCII', exitCodes.usage)
}
