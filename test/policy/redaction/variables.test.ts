import { describe, expect, it } from 'vitest'
import { SecretNames } from '../../../src/policy/redaction/secret-names.ts'
import {
  formsOf,
  type NamedValue,
  plainTexts,
  secretsAmong,
  variantsOf,
} from '../../../src/policy/redaction/secrets.ts'

const KIB = 1024

/** Texts of this length, each with a number of its own. */
const texts = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, at) => Buffer.from(`${at}-`.padStart(8, '0').padEnd(bytes, 'x')))

const inAllForms = (forms: readonly Buffer[], text: Buffer) =>
  variantsOf(text).every((variant) => forms.some((form) => form.equals(variant)))
const asItIs = (forms: readonly Buffer[], text: Buffer) =>
  plainTexts(text).every((plain) => forms.some((form) => form.equals(plain)))

describe('what is looked for', () => {
  it.each([
    ['the thousandth text and not the next one', texts(1001, 8)],
    ['64 KiB of texts and not the next one', texts(9, 8 * KIB)],
  ])('in all forms is %s, which is looked for as it is', (_, secrets) => {
    const [next = Buffer.alloc(0), last = Buffer.alloc(0)] = secrets.toReversed()
    const forms = formsOf(secrets)
    expect([inAllForms(forms, last), inAllForms(forms, next), asItIs(forms, next)]).toEqual([
      true,
      false,
      true,
    ])
  })

  it('as it is is 1 MiB, and nothing beyond', () => {
    const secrets = texts(17, 64 * KIB)
    const [next = Buffer.alloc(0), last = Buffer.alloc(0)] = secrets.toReversed()
    const forms = formsOf(secrets)
    expect([asItIs(forms, last), asItIs(forms, next)]).toEqual([true, false])
  })

  const variable = (
    name: string,
    value: string,
    origin: NamedValue['origin'] = 'connection',
  ): NamedValue => ({
    ...{ kind: 'envvar', name, origin, value: Buffer.from(value) },
  })
  const found = (...variables: NamedValue[]) =>
    secretsAmong(variables, new SecretNames([])).map((text) => text.toString())

  it('are the secrets of the connection before those of the caller, each the shortest first', () => {
    expect(
      found(
        variable('API_TOKEN', 'callers', 'client'),
        variable('DB_PASSWORD', 'longest-of-the-connection'),
        variable('DB_SECRET', 'of-the-connection'),
      ),
    ).toEqual(['of-the-connection', 'longest-of-the-connection', 'callers'])
  })

  it('are passwords in addresses whatever the name of the variable, and no value of more than 1 MiB', () => {
    const url = 'postgres://ann:sesame-4711@db/x'
    expect(found(variable('ADDRESS', url, 'client'))).toEqual(['sesame-4711'])
    expect(found(variable('DB_PASSWORD', 'x'.repeat(KIB * KIB)))).toHaveLength(1)
    expect(found(variable('DB_PASSWORD', 'x'.repeat(KIB * KIB + 1)))).toEqual([])
  })
})
