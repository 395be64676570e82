import { findProxy, ProxyError, type ProxySettings } from '../net/proxy.ts'
import type { Problems } from './problems.ts'

/** The proxy that the environment names; undefined, and a problem, when it cannot be one. */
export function proxyFrom(
  env: NodeJS.ProcessEnv,
  problems: Pick<Problems, 'addFrom'>,
): ProxySettings | undefined {
  try {
    return findProxy(env)
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error
    problems.addFrom(error.variable, error.message)
    return undefined
  }
}
