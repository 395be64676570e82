import type { Logger } from '../../basics/logger.ts'
import { type JournalEntry, journalLine } from './entries.ts'
import { RotatingFile } from './rotating-file.ts'

/**
 * The agent's own record of its executions. If the gateway was lost during an execution, this is the only
 * record.
 */
export interface Journal {
  /**
   * Never throws: an entry that cannot be written is lost, and a warning is logged. No effect after `close`.
   */
  record(entry: JournalEntry): void
  close(): void
  /** Number of lines that could not be written since the start. */
  readonly linesLost: number
}

interface JournalOptions {
  /** Created (0700) if it is missing. */
  readonly folder: string
  /** Maximum size of both files together, in bytes; 0 means no journal. */
  readonly maxBytes: number
  /** The agent's name, in every line: agents may share a folder. */
  readonly agent: string
  readonly log: Logger
  /** Milliseconds between checks for other processes' changes to the file. */
  readonly lookMs?: number
}

const NO_JOURNAL: Journal = { record: () => undefined, close: () => undefined, linesLost: 0 }

/** The file is opened only for the first entry. */
export function openJournal(options: JournalOptions): Journal {
  return options.maxBytes === 0 ? NO_JOURNAL : new FileJournal(options)
}

/** Writes each line before `record` returns: the agent may be killed right after. */
class FileJournal implements Journal {
  readonly #file: RotatingFile
  readonly #agent: string
  readonly #log: Logger
  /** Number of lines lost since the last successful write. */
  #lost = 0
  #lostBefore = 0
  #isClosed = false

  constructor({ folder, maxBytes, agent, log, lookMs }: JournalOptions) {
    this.#file = new RotatingFile(folder, maxBytes, lookMs)
    this.#agent = agent
    this.#log = log
  }

  get linesLost(): number {
    return this.#lostBefore + this.#lost
  }

  record(entry: JournalEntry): void {
    if (this.#isClosed) return
    try {
      this.#file.append(journalLine(entry, this.#agent, new Date()))
    } catch (error) {
      this.#lose(error)
      return
    }
    this.#tellLost('writing the journal succeeds again; lines were lost')
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file.close()
    this.#tellLost('the last lines of the journal could not be written and were lost')
  }

  /** There is no timer for retries: the next entry is written as usual. */
  #lose(error: unknown): void {
    this.#lost += 1
    if (this.#lost > 1) return
    this.#log.warn(
      { journal: this.#file.path, error: error instanceof Error ? error.message : String(error) },
      'cannot write the journal: executions continue, but are not recorded until writing succeeds again',
    )
  }

  #tellLost(message: string): void {
    if (this.#lost === 0) return
    this.#log.warn({ journal: this.#file.path, lines: this.#lost }, message)
    this.#lostBefore += this.#lost
    this.#lost = 0
  }
}
