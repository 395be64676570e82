import type {
  browserSignInContract,
  deviceSignInContract,
  localSignInContract,
} from '../../../contract/sign-in.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { Reply, type Handlers } from '../../handlers.ts'
import { DEVICE_MS, POLL_MS } from '../../people/sign-in/device-requests.ts'
import type { RestServices } from '../services.ts'
import { failedSignIn } from '../authentication.ts'

/** What command lines ask for to sign in; browsers come to `accounts/`. */
export function localSignInRoutes({ users, tokens }: RestServices): Handlers<typeof localSignInContract> {
  return {
    signIn: ({ body: { email, password }, caller }) => {
      // One text for both, unlike hoop's, so that nobody learns which names exist.
      if (users.withToken(password, caller)?.user.name !== email)
        throw failedSignIn(users, caller, hoopWords.invalidCredentials)
      const headers = { token: password, 'access-control-expose-headers': 'Token' }
      return new Reply(200, { status: 'ok' }, { headers, actor: email })
    },
    // Other tokens stay: others may use them, too.
    signOut: ({ user, token }) => {
      const isEnded = token.kind === 'sign-in'
      if (isEnded) tokens.revoke(token.id, user.name)
      return { ended: isEnded }
    },
  }
}

export function browserSignInRoutes({ signIn }: RestServices): Handlers<typeof browserSignInContract> {
  return {
    take: ({ body: { code, verifier } }) => {
      const { text, token } = signIn.takeHandover(code, verifier)
      return new Reply(200, { token: text, user: token.user }, { actor: token.user })
    },
  }
}

export function deviceSignInRoutes({ signIn, webUrl }: RestServices): Handlers<typeof deviceSignInContract> {
  return {
    begin: ({ body: { says }, caller }) => {
      const { secret, code } = signIn.addDevice(caller, says)
      const page = `${webUrl()}/api/login/device`
      return {
        device_code: secret,
        user_code: code,
        verification_uri: page,
        verification_uri_complete: `${page}?code=${code}`,
        expires_in: DEVICE_MS / 1000,
        interval: POLL_MS / 1000,
      }
    },
    take: ({ body: { device_code: secret } }) => {
      const issued = signIn.deviceOutcome(secret)
      if (issued === undefined) return new Reply(202, { status: 'waiting' })
      const { text, token } = issued
      return new Reply(200, { token: text, user: token.user }, { actor: token.user })
    },
  }
}
