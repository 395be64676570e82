import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson } from './http/json.ts'

/** An agent as the gateway knows it. Make its texts printable before you show them. */
export interface ListedAgent {
  readonly id: string
  readonly name: string
  /** CONNECTED or DISCONNECTED. */
  readonly status: string
  /** Of its program and its machine; empty where the gateway does not say. */
  readonly version: string
  readonly hostname: string
  readonly platform: string
  /** As the gateway has sent it. */
  readonly raw: object
}

const Agents = v.nullable(v.array(v.looseObject({ name: v.string() })))

const NOTHING = { version: '', hostname: '', platform: '' }
const Word = v.fallback(v.string(), '')
const said = { version: Word, hostname: Word, platform: Word }
/** What an agent says is in `metadata`; what stands beside it are hoop's older copies. */
const Facts = v.object({
  id: Word,
  status: Word,
  metadata: v.fallback(v.object(said), NOTHING),
  ...said,
})

/** @throws ApiError */
export async function listAgents(account: Account, signal?: AbortSignal): Promise<readonly ListedAgent[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/agents', signal }, Agents)
  return (value ?? []).map((raw) => {
    const { id, status, metadata, ...copies } = v.parse(Facts, raw)
    return {
      ...{ id, name: raw.name, status, raw },
      version: metadata.version === '' ? copies.version : metadata.version,
      hostname: metadata.hostname === '' ? copies.hostname : metadata.hostname,
      platform: metadata.platform === '' ? copies.platform : metadata.platform,
    }
  })
}
