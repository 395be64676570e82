import type { Account } from '../../../client/account/account.ts'
import type { StreamAccess } from '../../../client/running/client-session.ts'
import { grpcAccess } from '../../../client/running/grpc-line.ts'
import { readAccount } from '../asking/account.ts'
import { clientFailure } from '../report/failures.ts'

interface AccountAccess extends StreamAccess {
  readonly account: Account
}

/** @throws Failure if the profile is signed out, or the gateway announces no gRPC address */
export async function streamAccess(profile: string | undefined): Promise<AccountAccess> {
  const account = readAccount(profile)
  try {
    return { account, ...(await grpcAccess(account)) }
  } catch (error) {
    throw clientFailure(error, 'cannot open a session', account)
  }
}
