import type { JournalEntry } from './journal/entries.ts'

type Ended = Extract<JournalEntry, { event: 'ended' }>

/** Running totals since the agent's start, made from the same entries as the journal. */
export class Counters {
  opened = 0
  started = 0
  /** Closes the gateway confirmed, and closes still unconfirmed when their stream ended. */
  confirmed = 0
  unconfirmed = 0
  bytesRead = 0
  bytesSent = 0
  bytesLeftOut = 0
  bytesRedacted = 0
  /** Background processes that commands had left behind. */
  processesEnded = 0
  /** Ended sessions by outcome, and by reason where the agent ended them. */
  readonly outcomes = new Map<Ended['outcome'], number>()
  readonly reasons = new Map<NonNullable<Ended['reason']>, number>()

  /** Ended requests of the gateway itself, which no counter above includes but `processesEnded`. */
  readonly systemRequests = new Map<Ended['outcome'], number>()

  count(entry: JournalEntry): void {
    if ('request' in entry) return this.#countSystem(entry)
    switch (entry.event) {
      case 'opened':
      case 'started':
      case 'confirmed':
      case 'unconfirmed':
        this[entry.event] += 1
        return
      case 'ended':
        return this.#countEnd(entry)
      case 'agent':
        return
    }
  }

  #countSystem(entry: JournalEntry): void {
    if (entry.event !== 'ended') return
    increment(this.systemRequests, entry.outcome)
    this.processesEnded += entry.processesEnded
  }

  #countEnd(entry: Ended): void {
    increment(this.outcomes, entry.outcome)
    if (entry.reason !== undefined) increment(this.reasons, entry.reason)
    this.bytesRead += entry.bytesRead
    this.bytesSent += entry.bytesSent
    this.bytesLeftOut += entry.bytesLeftOut
    this.bytesRedacted += entry.bytesRedacted
    this.processesEnded += entry.processesEnded
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
