/** A secret's members by name, or why there are none. The reason never holds a value or a credential. */
export type StoredSecret =
  | { readonly members: ReadonlyMap<string, string>; readonly problem?: never }
  | { readonly problem: string; readonly members?: never }

/** Fetches one secret. @throws the signal's reason */
export type FetchSecret = (id: string, signal: AbortSignal) => Promise<StoredSecret>

/** Where secrets are kept outside of this machine. */
export interface SecretStore {
  /** The word in `failed initializing WORD provider`. */
  readonly name: string
  /** Reads its settings anew, for one session. Fetches nothing. @throws SetUpError */
  open(): Promise<FetchSecret> | FetchSecret
}

/** The stores that references can name, by provider: `_aws`, `_vaultkv1`, `_vaultkv2`. */
export type SecretStores = ReadonlyMap<string, SecretStore>

/** A store cannot be used at all: what the agent's environment says about it is missing or wrong. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
