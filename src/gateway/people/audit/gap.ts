import { auditFacts, type AuditFacts } from './entry.ts'

interface Missing {
  readonly entries: number
  readonly since: Date
}

/** Entries that could not be written, until one can be that says so. */
export class Gap {
  #missing: Missing | undefined

  /** @returns whether it is the first */
  add(): boolean {
    const { entries, since } = this.#missing ?? { entries: 0, since: new Date() }
    this.#missing = { entries: entries + 1, since }
    return entries === 0
  }

  /** What the log says of them, where there are any. */
  facts(): AuditFacts | undefined {
    if (this.#missing === undefined) return undefined
    const { entries, since } = this.#missing
    return auditFacts({
      action: 'gap',
      resource_type: 'audit',
      outcome: false,
      request_payload_redacted: { missing_entries: entries, since: since.toISOString() },
    })
  }

  /** They are on record. */
  close(): void {
    this.#missing = undefined
  }
}
