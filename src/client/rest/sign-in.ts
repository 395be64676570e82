import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

const PublicInfo = v.object({ sign_in: v.fallback(v.array(v.string()), []) })

/** Whether people sign in to this gateway with a browser, here or elsewhere. Needs no token. @throws ApiError */
export async function offersSignIn(account: Account): Promise<boolean> {
  const question = { method: 'GET', path: '/api/publicserverinfo', isPublic: true } as const
  return (await askJson(account, question, PublicInfo)).value.sign_in.length > 0
}

const Login = v.object({ login_url: v.string() })

/** @param redirect where the browser comes to in the end @param challenge of the verifier that is kept here */
export async function fetchLoginUrl(account: Account, redirect: string, challenge: string): Promise<string> {
  const query = new URLSearchParams({ redirect, challenge }).toString()
  const question = { method: 'GET', path: `/api/login?${query}`, isPublic: true } as const
  return (await askJson(account, question, Login)).value.login_url
}

const Token = v.object({ token: v.string() })

/** @throws ApiError */
export async function takeToken(account: Account, code: string, verifier: string): Promise<string> {
  const body = { code, verifier }
  const question = { method: 'POST', path: '/api/login/token', isPublic: true, body } as const
  return (await askJson(account, question, Token)).value.token
}

const Device = v.object({
  device_code: v.string(),
  user_code: v.string(),
  verification_uri_complete: v.string(),
  expires_in: v.number(),
  interval: v.number(),
})

/** A sign-in that waits for a person in a browser elsewhere. */
export interface DeviceSignIn {
  /** By which this program asks for the token. */
  readonly secret: string
  /** What the person compares. */
  readonly code: string
  readonly page: string
  readonly lifetimeMs: number
  readonly pauseMs: number
}

/** @param says what the person reads of this program @throws ApiError */
export async function beginDeviceSignIn(account: Account, says: string): Promise<DeviceSignIn> {
  const question = { method: 'POST', path: '/api/login/device', isPublic: true, body: { says } } as const
  const { value } = await askJson(account, question, Device)
  return {
    ...{ secret: value.device_code, code: value.user_code, page: value.verification_uri_complete },
    ...{ lifetimeMs: value.expires_in * 1000, pauseMs: value.interval * 1000 },
  }
}

const Outcome = v.object({ token: v.optional(v.string()) })

/** Undefined while nobody has decided. @throws ApiError */
export async function deviceToken(account: Account, { secret }: DeviceSignIn): Promise<string | undefined> {
  const body = { device_code: secret }
  const question = { method: 'POST', path: '/api/login/device/token', isPublic: true, body } as const
  return (await askJson(account, question, Outcome)).value.token
}

/** @throws ApiError */
export async function endSignIn(account: Account): Promise<void> {
  await askJson(account, { method: 'POST', path: '/api/logout', answerMs: 10_000 }, v.object({}))
}
