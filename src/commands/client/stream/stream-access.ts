import type { Account } from '../../../client/account/account.ts'
import type { StreamAccess } from '../../../client/running/client-session.ts'
import { grpcAccess } from '../../../client/running/grpc-line.ts'
import { readAccount } from '../asking/account.ts'
import { clientFailure } from '../report/failures.ts'

/** Access to the streams, with the account for REST requests. */
interface AccountAccess extends StreamAccess {
  readonly account: Account
}

/** @throws Failure when nobody is signed in, or the gateway does not say where its streams are */
export async function streamAccess(profile: string | undefined): Promise<AccountAccess> {
  const account = readAccount(profile)
  try {
    return { account, ...(await grpcAccess(account)) }
  } catch (error) {
    throw clientFailure(error, 'cannot open a session')
  }
}
