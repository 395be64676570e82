import type { Secret } from '../../basics/secret.ts'
import { Redaction } from '../../policy/redaction/redactor.ts'
import { passwordsInUrl, secretTexts } from '../../policy/redaction/secrets.ts'
import { variantsOf } from '../../policy/redaction/variants/variants.ts'

/** A renewed credential replaces the last one, which may still be valid for a while. */
const MAX_KNOWN = 8

/** The key of the old form is a path of 64 characters (protocol.md 2.4). */
const OLD_SECRET = /\/([^/?#]{64})(?:[?#]|$)/

/** The agent's own credentials, recognised in a text in any form in which programs write them. */
export class KnownCredentials {
  #known: readonly string[] = []
  #redaction = new Redaction([])

  add(token: Secret): void {
    const value = token.reveal()
    if (this.#known.includes(value)) return
    this.#known = [...this.#known, value].slice(-MAX_KNOWN)
    this.#redaction = new Redaction(this.#known.flatMap(textsOf).flatMap(variantsOf))
  }

  /** Whether the text contains a credential, or the secret in one. */
  isIn(text: string): boolean {
    const redactor = this.#redaction.stream()
    redactor.push(Buffer.from(text))
    redactor.flush()
    return redactor.redacted > 0
  }
}

function textsOf(credential: string): Buffer[] {
  const value = Buffer.from(credential)
  const [, old] = OLD_SECRET.exec(credential) ?? []
  return [...secretTexts(value), ...passwordsInUrl(value), ...(old === undefined ? [] : [Buffer.from(old)])]
}
