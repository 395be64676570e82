import { SecretsManagerStore } from './aws/secrets-manager.ts'
import type { SecretStore, SecretStores } from './stores.ts'
import { VaultStore, type VaultSurroundings } from './vault/vault.ts'

/** Creates the stores. This function reads nothing and does not connect yet. */
export function openSecretStores(surroundings: VaultSurroundings): SecretStores {
  return new Map<string, SecretStore>([
    ['_aws', new SecretsManagerStore(surroundings.env, surroundings.log)],
    ['_vaultkv1', new VaultStore(1, surroundings)],
    ['_vaultkv2', new VaultStore(2, surroundings)],
  ])
}
