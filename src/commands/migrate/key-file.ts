import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { exitCodes, explain, Failure } from '../failure.ts'

/** The file of an agent's new key, 0600. It is there before the key is: a full disk is found out in time. */
export class KeyFile implements Disposable {
  readonly #file: string
  readonly #descriptor: number
  #isKept = false

  /** @throws Failure when the file cannot be made, or is there already */
  static claim(folder: string, agent: string): KeyFile {
    const file = path.join(folder, `${agent}.key`)
    try {
      claimFolder(folder)
      return new KeyFile(file, openSync(file, 'wx', 0o600))
    } catch (error) {
      if (error instanceof ForeignPathError) throw new Failure(error.message)
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw explain(error, `cannot write ${file}`, 'Name another folder with --agent-keys')
      const advice = 'it may be the key of another agent of this name. Name another folder with --agent-keys'
      throw new Failure(`${file} exists already: ${advice}`, exitCodes.usage)
    }
  }

  private constructor(file: string, descriptor: number) {
    this.#file = file
    this.#descriptor = descriptor
  }

  /** @throws the system's error */
  keep(key: string): void {
    this.#isKept = true
    writeSync(this.#descriptor, `${key}\n`)
    fsyncSync(this.#descriptor)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
    if (!this.#isKept) rmSync(this.#file, { force: true })
  }
}
