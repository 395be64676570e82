import type { Secret } from '../../basics/secret.ts'
import { Redaction } from '../../policy/redaction/redactor.ts'
import { passwordsInUrl, secretTexts } from '../../policy/redaction/secrets.ts'
import { variantsOf } from '../../policy/redaction/variants/variants.ts'

/** How many credentials are known. After a renewal the old one may still be valid for a while. */
const MAX_KNOWN = 8

/** In the old form of a key, the secret is a path of 64 characters (protocol.md 2.4). */
const OLD_SECRET = /\/([^/?#]{64})(?:[?#]|$)/

/** Recognises the agent's own credentials in a text, in every form in which programs write them. */
export class KnownCredentials {
  #known: readonly string[] = []
  #redaction = new Redaction([])

  add(token: Secret): void {
    const value = token.reveal()
    if (this.#known.includes(value)) return
    this.#known = [...this.#known, value].slice(-MAX_KNOWN)
    this.#redaction = new Redaction(this.#known.flatMap(textsOf).flatMap(variantsOf))
  }

  /** Whether the text contains a credential, or the secret part of one. */
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
