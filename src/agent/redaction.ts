import type { Logger } from '../basics/logger.ts'
import type { Entry } from '../envvars/entry.ts'
import { Redaction } from '../policy/redaction/redactor.ts'
import type { SecretNames } from '../policy/redaction/secret-names.ts'
import { passwordsInUrl, secretTexts } from '../policy/redaction/secrets.ts'
import { plainTexts, variantsOf } from '../policy/redaction/variants.ts'

/** So many texts are looked for in their encodings too; compiling them takes some 30 ms, at every execution. */
const MAX_TEXTS_WITH_VARIANTS = 1000
const MAX_BYTES_WITH_VARIANTS = 64 * 1024
/** And so much as it is written. A whole bundle of certificates has 200 KiB. */
const MAX_BYTES = 1024 * 1024

/** What must not appear in the output of a session with these variables; undefined when redaction is off. */
export function redactionFor(
  entries: readonly Entry[],
  names: SecretNames | undefined,
  log: Logger,
): Redaction | undefined {
  if (names === undefined) return undefined
  const texts = [...textsBy('connection', entries, names), ...textsBy('client', entries, names)]
  const total = texts.reduce((sum, { length }) => sum + length, 0)
  if (total > MAX_BYTES)
    log.warn(
      { bytes: total, limit: MAX_BYTES },
      'the longest secrets are not looked for in the output: too much',
    )
  return new Redaction(bounded(texts))
}

/**
 * The connection's go before the client's, which could otherwise push them out, and the shortest first: of what is too
 * much, it is the passwords that are found in every form.
 */
function textsBy(origin: Entry['origin'], entries: readonly Entry[], names: SecretNames): Buffer[] {
  const own = entries.filter((entry) => entry.origin === origin)
  return own.flatMap((entry) => textsOf(entry, names)).sort((a, b) => a.length - b.length)
}

/** A password inside a URL is one whatever the variable is called. */
function textsOf({ kind, name, origin, value }: Entry, names: SecretNames): Buffer[] {
  // Longer than what is looked for at all: taking it apart would only cost time.
  if (origin === 'agent' || value.length > MAX_BYTES) return []
  const isSecret = kind === 'filesystem' ? names.isSecretFile(name) : names.isSecret(name, origin, value)
  return isSecret ? [...secretTexts(value), ...passwordsInUrl(value)] : passwordsInUrl(value)
}

function bounded(texts: readonly Buffer[]): Buffer[] {
  let bytes = 0
  return texts.flatMap((text, count) => {
    bytes += text.length
    if (count < MAX_TEXTS_WITH_VARIANTS && bytes <= MAX_BYTES_WITH_VARIANTS) return variantsOf(text)
    return bytes <= MAX_BYTES ? plainTexts(text) : []
  })
}
