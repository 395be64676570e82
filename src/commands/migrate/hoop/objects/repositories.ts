import { createHash } from 'node:crypto'
import type { Resource } from '../../../../client/rest/resources.ts'
import type { CarriedRepository } from '../carried.ts'
import type { Migration, MigrationStep } from '../step.ts'
import { storedStep } from './stored.ts'

/** hoop's namespace for ids that are made from a url (RFC 4122). */
const URL_NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex')

export function repositorySteps(migration: Migration): MigrationStep[] {
  return migration.carried.repositories.map((repository) => {
    const body = repositoryJson(repository)
    const { git_url: url } = body
    const present = migration.present.repositories.find((one) => one['git_url'] === url)
    const wanted = { kind: 'repository', path: '/api/runbooks/configurations', key: uuidOfUrl(url) } as const
    return storedStep({ ...wanted, name: repository.name, present, body }, migration)
  })
}

/** ssh keys are those of the gateway's user and stand in no settings: hoop's own stay as they are. */
function repositoryJson({ remote }: CarriedRepository): Resource & { git_url: string } {
  if (remote.kind === 'ssh' || remote.credentials === undefined) return { git_url: remote.url }
  const { username, password } = remote.credentials
  // A user without a password is a token.
  if (password === undefined) return { git_url: remote.url, git_password: username }
  return { git_url: remote.url, git_user: username, git_password: password }
}

/** hoop's id of a repository: version 5. */
function uuidOfUrl(url: string): string {
  const hash = createHash('sha1').update(URL_NAMESPACE).update(url).digest().subarray(0, 16)
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
