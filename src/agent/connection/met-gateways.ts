import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { claimFolder } from '../../basics/files/private-path.ts'
import { FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import type { Logger } from '../../basics/logger.ts'
import { decodeEpochs, encodeEpochs, type Epoch, MAX_MET_STATES } from '../../wire/epochs.ts'

const FILE = 'gateways'
const MAX_FILE_BYTES = 4096

/**
 * The newest epoch of each gateway's state that this agent has met, over restarts. A gateway on an older copy
 * of the state learns from them that it is not the newest one (decision 0024).
 */
export class MetGateways {
  readonly #folder: string
  readonly #log: Logger
  #epochs: readonly Epoch[]

  /** @param folder the agent's state folder, which several agents may share */
  constructor(folder: string, log: Logger) {
    this.#folder = folder
    this.#log = log
    this.#epochs = this.#read()
  }

  /** One for each state; the state that was met last is the last one. */
  get epochs(): readonly Epoch[] {
    return this.#epochs
  }

  /** Never throws: an epoch that cannot be stored is known until this agent ends, and a warning is logged. */
  note(epoch: Epoch): void {
    if (this.#epochs.some(({ state, id }) => state === epoch.state && id === epoch.id)) return
    const others = merged(this.#read(), this.#epochs).filter(({ state }) => state !== epoch.state)
    this.#epochs = [...others, epoch].slice(-MAX_MET_STATES)
    try {
      this.#write(`${encodeEpochs(this.#epochs)}\n`)
    } catch (error) {
      this.#log.warn(
        { file: this.#path, error: (error as Error).message },
        'cannot store which gateway this agent has met: after a restart, it would serve an older copy of that gateway',
      )
    }
  }

  get #path(): string {
    return join(this.#folder, FILE)
  }

  #read(): readonly Epoch[] {
    try {
      return decodeEpochs(readSmallFile(this.#path, MAX_FILE_BYTES).bytes.toString('latin1').trim())
    } catch (error) {
      if (!(error instanceof FileRefused && error.isMissing))
        this.#log.warn(
          { file: this.#path, error: (error as Error).message },
          'cannot read which gateways this agent has met: it would serve an older copy of such a gateway',
        )
      return []
    }
  }

  /** Replaces the whole file, so that a killed agent leaves the old file or the new one. */
  #write(content: string): void {
    claimFolder(this.#folder)
    const fresh = `${this.#path}.${process.pid}.new`
    try {
      writeDurably(fresh, content)
      renameSync(fresh, this.#path)
    } finally {
      rmSync(fresh, { force: true })
    }
  }
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Epochs of the file win over the agent's own: another agent of the folder may have met them later. */
function merged(written: readonly Epoch[], own: readonly Epoch[]): readonly Epoch[] {
  return [...own.filter(({ state }) => written.every((one) => one.state !== state)), ...written]
}
