import type { Logger } from '../../basics/logger.ts'
import type { Entry } from '../../envvars/entries/entry.ts'
import { Redaction } from '../../policy/redaction/redactor.ts'
import type { SecretNames } from '../../policy/redaction/names/secret-names.ts'
import { formsOf, MAX_BYTES, secretsAmong } from '../../policy/redaction/variables.ts'

/** Finds what must not appear in the output of a session with these variables; undefined when redaction is off. */
export function redactionFor(
  entries: readonly Entry[],
  names: SecretNames | undefined,
  log: Logger,
): Redaction | undefined {
  if (names === undefined) return undefined
  const secrets = secretsAmong(
    entries.flatMap(({ kind, name, value, origin }) =>
      origin === 'agent' ? [] : [{ kind, name, value, origin }],
    ),
    names,
  )
  const total = secrets.reduce((sum, { length }) => sum + length, 0)
  if (total > MAX_BYTES)
    log.warn(
      { bytes: total, limit: MAX_BYTES },
      'the longest secrets are not looked for in the output: too much',
    )
  return new Redaction(formsOf(secrets))
}
