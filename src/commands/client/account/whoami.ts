import { call, type Read } from '../../../client/rest/call.ts'
import { gatewayContract, type UserInfoAnswer } from '../../../contract/gateway.ts'
import { type AskingFlags, factLines, showingCommand } from '../asking/asking.ts'
import { ACCOUNT_VARIABLES, chosenProfile } from '../asking/account.ts'
import { moment } from '../report/words.ts'

/** Shows the user of the token as the gateway knows them. */
export function whoamiCommand(flags: AskingFlags): Promise<number> {
  let gateway = ''
  return showingCommand(
    flags,
    'cannot show who you are',
    (account) => {
      gateway = account.rest.url
      return call(account, gatewayContract.userInfo, {})
    },
    (user) => userText(user, gateway, accountSource(flags.profile)),
  )
}

/** Returns the profile, and the variables that replace a part of it. */
function accountSource(flag: string | undefined): string {
  const { name, isNamed } = chosenProfile(flag)
  const winning = isNamed ? [] : ACCOUNT_VARIABLES.filter((variable) => process.env[variable])
  return winning.length === 0 ? name : `${name}, replaced by ${winning.join(', ')}`
}

function userText(user: Read<UserInfoAnswer>, gateway: string, profile: string): string {
  const { email, name, kind, role, groups, token } = user
  const until = moment(token?.expires_at ?? '')
  return factLines([
    ['user', email || name],
    ['kind', kind],
    ['role', role],
    ['groups', groups.join(', ')],
    ['gateway', gateway],
    ['profile', profile],
    ['token', token?.name ?? ''],
    ['expires', token === undefined ? '' : until || 'never'],
  ])
}
