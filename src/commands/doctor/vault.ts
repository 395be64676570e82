import type { AgentConfiguration } from '../../config.ts'
import { SetUpError } from '../../envvars/secrets/stores.ts'
import { VaultError } from '../../envvars/secrets/vault/request.ts'
import { readVaultSettings } from '../../envvars/secrets/vault/settings.ts'
import { Vault } from '../../envvars/secrets/vault/vault.ts'
import { broken, type Finding, ok, warning } from '../examination/examination.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Whether any variable of Vault is set. */
export function hasVault(env: Variables): boolean {
  return ['VAULT_ADDR', 'VAULT_APP_ROLE_ID', 'VAULT_AUTH_METHOD'].some((name) => env[name])
}

/** Signs in as before reading a secret, or looks up a given token. Reads no secret. */
export async function checkVault(
  { tls, proxy }: AgentConfiguration,
  env: Variables,
  signal: AbortSignal,
): Promise<Finding> {
  const warnings: string[] = []
  try {
    const settings = readVaultSettings(env, (text) => warnings.push(text))
    const vault = new Vault(settings, { env, skipVerify: tls.skipVerify, findProxy: () => proxy })
    const found = await trySignIn(vault, signal)
    return warnings.length === 0 ? ok(found) : warning(found, warnings.join('\n'))
  } catch (error) {
    if (error instanceof SetUpError) return broken(`cannot be used: ${error.message}`, SET_UP)
    if (!(error instanceof VaultError)) throw error
    return broken(`cannot be used: ${error.message}`, advice(error.message))
  }
}

async function trySignIn(vault: Vault, signal: AbortSignal): Promise<string> {
  const token = await vault.token(signal)
  if (vault.method !== undefined) return `answers, signed in by ${vault.method}`
  await vault.lookUp(token, signal)
  return 'answers, and its token is accepted'
}

const SET_UP = 'docs/policies-and-secrets.md has the variables that the agent needs'

function advice(reason: string): string {
  if (reason.includes('status=403'))
    return 'The token has expired, or may not look itself up (auth/token/lookup-self, in the policy "default")'
  if (reason.includes('status=4')) return 'Vault refuses the login: check role, secret id or JWT'
  return 'Check VAULT_ADDR, VAULT_CACERT and the network. Sessions with secrets of Vault are refused until then'
}
