import { createHash, type Hash } from 'node:crypto'
import { BackupError } from './backup-error.ts'
import type { Manifest, Part } from './manifest.ts'

/** The sums of the parts, as they come. */
export class PartSums {
  readonly #hashes = new Map<Part['name'], Hash>()

  add({ name }: Part, bytes: Buffer): void {
    const hash = this.#hashes.get(name) ?? createHash('sha256')
    this.#hashes.set(name, hash.update(bytes))
  }

  /** @throws BackupError */
  check({ parts }: Manifest): void {
    const empty = createHash('sha256')
    const altered = parts.find(
      ({ name, sha256 }) => (this.#hashes.get(name) ?? empty).copy().digest('hex') !== sha256,
    )
    if (altered !== undefined)
      throw new BackupError(`it has been altered: ${altered.name} is not what was written`)
  }
}
