import type { Origin, SecretNames } from './names/secret-names.ts'
import { passwordsInUrl, secretTexts } from './secrets.ts'
import { plainTexts, variantsOf } from './variants/variants.ts'

/** Only this many texts are looked for in their encodings, too. Compiling them takes some 30 ms for every execution. */
const MAX_TEXTS_WITH_VARIANTS = 1000
const MAX_BYTES_WITH_VARIANTS = 64 * 1024
/** Limit for what is looked for as it is. A whole bundle of certificates has 200 KiB. */
export const MAX_BYTES = 1024 * 1024

export interface NamedValue {
  readonly kind: 'envvar' | 'filesystem'
  readonly name: string
  readonly origin: Origin
  readonly value: Buffer
}

/**
 * The secrets among the variables. The connection's come first, so that the client's cannot push them out. Then the
 * shortest first: if there is too much, passwords are the ones found in every form.
 */
export function secretsAmong(variables: readonly NamedValue[], names: SecretNames): Buffer[] {
  return (['connection', 'client'] as const).flatMap((origin) => {
    const own = variables.filter((variable) => variable.origin === origin)
    return own.flatMap((variable) => textsOf(variable, names)).sort((a, b) => a.length - b.length)
  })
}

/** What to look for because of these secrets: the first ones in all forms. */
export function formsOf(secrets: readonly Buffer[]): Buffer[] {
  let bytes = 0
  return secrets.flatMap((text, count) => {
    bytes += text.length
    if (count < MAX_TEXTS_WITH_VARIANTS && bytes <= MAX_BYTES_WITH_VARIANTS) return variantsOf(text)
    return bytes <= MAX_BYTES ? plainTexts(text) : []
  })
}

/** For a value that is secret whatever its name. */
export function textsOfSecret(value: Buffer): Buffer[] {
  return value.length > MAX_BYTES ? [] : [...secretTexts(value), ...passwordsInUrl(value)]
}

/** A password inside a URL is secret whatever the variable's name. */
function textsOf({ kind, name, origin, value }: NamedValue, names: SecretNames): Buffer[] {
  // Such a long value is not looked for anyway, so taking it apart would only cost time.
  if (value.length > MAX_BYTES) return []
  const isSecret = kind === 'filesystem' ? names.isSecretFile(name) : names.isSecret(name, origin, value)
  return isSecret ? textsOfSecret(value) : passwordsInUrl(value)
}
