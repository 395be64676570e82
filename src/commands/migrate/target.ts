import { findAccount, type Account } from '../../client/account/account.ts'
import { parseRestAddress } from '../../client/account/address.ts'
import { readAccount } from '../client/account/account-from-env.ts'
import { readToken } from '../client/account/token.ts'
import { clientFailure } from '../client/report/failures.ts'
import { exitCodes, Failure } from '../failure.ts'

export interface TargetFlags {
  readonly to?: string
  readonly tokenFile?: string
  readonly profile?: string
}

/**
 * The gateway that is written to: of a profile, or the one of `--to` with the token of a file, of HOOP_TOKEN where the
 * environment is for this gateway, else of a question.
 * @throws Failure
 */
export async function targetAccount({ to, tokenFile, profile }: TargetFlags): Promise<Account> {
  if (to !== undefined && profile !== undefined) throw usage('--to and --profile: one of the two')
  if (to === undefined && tokenFile !== undefined) throw usage('--token-file goes with --to')
  if (to === undefined) return readAccount(profile)
  const token = tokenOfEnvironment(to, tokenFile) ?? (await readToken(tokenFile))
  const env = { ...process.env, HOOP_APIURL: to, HOOP_TOKEN: token, HOOP_GRPCURL: '' }
  try {
    return findAccount({ env, stored: undefined, file: '--to' })
  } catch (error) {
    throw clientFailure(error, '')
  }
}

/** A token of another gateway is not sent to this one. */
function tokenOfEnvironment(to: string, tokenFile: string | undefined): string | undefined {
  const { HOOP_APIURL, HOOP_TOKEN } = process.env
  const isForIt = !HOOP_APIURL || parseRestAddress(HOOP_APIURL)?.url === parseRestAddress(to)?.url
  return tokenFile === undefined && HOOP_TOKEN && isForIt ? HOOP_TOKEN : undefined
}

function usage(message: string): Failure {
  return new Failure(message, exitCodes.usage)
}
