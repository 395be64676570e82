import { patience } from '../../basics/abort.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { AgentEnvironment, AgentValue } from '../agent-environment.ts'
import { EnvvarError } from '../errors.ts'

/**
 * A secret's members by name, or the reason why the secret was not fetched. The reason never contains a value
 * or a credential.
 */
export type StoredSecret =
  | { readonly members: ReadonlyMap<string, string>; readonly problem?: never }
  | { readonly problem: string; readonly members?: never }

/** @throws the signal's reason */
export type FetchSecret = (id: string, signal: AbortSignal) => Promise<StoredSecret>

/** A place outside of this machine that keeps secrets. */
export interface SecretStore {
  /** The word in `failed initializing WORD provider`. */
  readonly name: string
  /**
   * Reads the store's settings again, for one session. Nothing is fetched yet.
   * @throws SetUpError
   */
  open(): Promise<FetchSecret> | FetchSecret
}

/** The stores by provider: `_aws`, `_vaultkv1`, `_vaultkv2`. */
export type SecretStores = ReadonlyMap<string, SecretStore>

/**
 * Time in milliseconds for all secrets of one session. The gateway does not wait longer for a session to
 * open.
 */
const SESSION_MS = 60_000

interface SecretSources {
  readonly agentEnvironment: AgentEnvironment
  readonly secretStores: SecretStores
}

/** A fetched secret. `taken` says whether a member of the secret has been used already. */
interface Fetched {
  readonly secret: StoredSecret
  taken: boolean
}

/** Fetches each secret of a session once, and drops the secrets with the session. */
export class SessionSecrets {
  readonly agent: AgentEnvironment
  readonly ended: AbortSignal
  readonly #stores: SecretStores
  readonly #opened = new Map<string, FetchSecret>()
  readonly #fetched = new Map<string, Fetched>()
  #patience: AbortSignal | undefined

  /** @param ended aborts when the session is over; pending fetches then reject with the signal's reason */
  constructor({ agentEnvironment, secretStores }: SecretSources, ended: AbortSignal) {
    this.agent = agentEnvironment
    this.#stores = secretStores
    this.ended = ended
  }

  knows(provider: string): boolean {
    return this.#stores.has(provider)
  }

  /**
   * Returns one member of a secret.
   * @throws EnvvarError if the provider cannot be used at all, or the signal's reason
   */
  async member(provider: string, id: string, key: string): Promise<AgentValue> {
    const fetched = await this.#fetch(provider, id)
    const { members, problem } = fetched.secret
    if (members === undefined) return { problem }
    const value = members.get(key)
    if (value !== undefined) {
      fetched.taken = true
      return { value }
    }
    // As in hoop, the same failure has two texts. hoop's cache of a secret begins with the first member that
    // was found.
    if (fetched.taken) return { problem: `secret key not found. secret=${id}, key=${key}` }
    return { problem: `secret id ${id} found, but key ${key} was not` }
  }

  async #fetch(provider: string, id: string): Promise<Fetched> {
    const name = `${provider}:${id}`
    const known = this.#fetched.get(name)
    if (known !== undefined) return known
    const fetch = await this.#open(provider)
    const fetched = { secret: await this.#inTime(fetch, id), taken: false }
    this.#fetched.set(name, fetched)
    return fetched
  }

  async #open(provider: string): Promise<FetchSecret> {
    const store = this.#stores.get(provider)
    if (store === undefined) throw new Error(`no store for ${provider}`)
    const opened = this.#opened.get(provider) ?? (await openStore(store))
    this.#opened.set(provider, opened)
    return opened
  }

  async #inTime(fetch: FetchSecret, id: string): Promise<StoredSecret> {
    this.#patience ??= patience(SESSION_MS, this.ended)
    try {
      this.#patience.throwIfAborted()
      return await fetch(id, this.#patience)
    } catch (error) {
      this.ended.throwIfAborted()
      if (error !== this.#patience.reason) throw error
      const seconds = SESSION_MS / 1000
      return {
        problem: `(${id}) not fetched: fetching all secrets of a session may take at most ${seconds} s`,
      }
    }
  }
}

async function openStore(store: SecretStore): Promise<FetchSecret> {
  try {
    return await store.open()
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    const reason = `failed initializing ${store.name} provider, err=${error.message}`
    throw new EnvvarError(`failed decoding environment variables ${reason}`)
  }
}
