import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeText } from '../../../src/golang/text/byte-string.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING } from '../../../src/policy/masking/rules.ts'
import { Words } from '../../../src/policy/masking/words.ts'

const part = fc.oneof(
  fc.constantFrom(
    ' ',
    ', ',
    '-',
    '\n',
    'card',
    'E',
    '17',
    'é',
    'überweisung',
    '数据',
    '\u00a0',
    'x'.repeat(70),
  ),
  fc.constant(' one two three four five six seven'),
)

it('the words before each place of a text are those of the whole text, read in pieces and with leaps', () => {
  fc.assert(
    fc.property(fc.array(fc.array(part), { maxLength: 4 }), fc.array(fc.nat(400)), (lines, places) => {
      const words = new Words()
      let before = ''
      for (const line of lines.map((parts) => `${parts.join('')}\n`)) {
        words.next(encodeText(line), 0)
        for (const at of [...places, line.length].filter((at) => at <= line.length).sort((a, b) => a - b)) {
          const start = encodeText(line.slice(0, at)).length
          expect(words.before(start)).toEqual(lastWords(before + line, before.length + at))
        }
        before += line
      }
    }),
    { numRuns: 300 },
  )
})

it('the words before the places of one long word are told without reading it anew for each', () => {
  const words = new Words()
  const text = `card ${'a'.repeat(1_000_000)}`
  words.next(text, 0)
  for (let at = 10; at < text.length; at += 10) words.before(at)
  expect(words.before(text.length)).toEqual(['card', ''])
})

/** Of the whole text: a word that the place cuts is none. */
function lastWords(text: string, place: number): string[] {
  const words = [...text.matchAll(/[\p{L}\p{Nd}\p{M}]+/gu)].filter(
    ({ index, 0: word }) => index + word.length <= place,
  )
  return words.slice(-5).map(({ 0: word }) => (encodeText(word).length > 64 ? '' : word.toLowerCase()))
}

/** By type: a text of it, how sure its form alone makes, and the words before it that make it surer. */
const TYPES: Readonly<Record<string, readonly [text: string, score: number, words: readonly string[]]>> = {
  EMAIL_ADDRESS: ['ann@example.com', 0.5, ['email', 'mail']],
  PHONE_NUMBER: ['(415) 555-2671', 0.5, ['phone', 'number', 'telephone', 'cell', 'mobile']],
  CRYPTO: ['1BoatSLRHtKNngkdXEeobR76b53LETtpyT', 0.5, ['wallet', 'bitcoin', 'btc', 'ethereum', 'eth']],
  IP_ADDRESS: ['10.0.0.255', 0.6, ['ip', 'address', 'ipv4', 'ipv6']],
  URL: ['www.example.org', 0.5, ['url', 'link', 'website']],
  DATE_TIME: ['12/31/2031', 0.6, ['date', 'born', 'birthday', 'dob']],
  US_PASSPORT: ['C12345678', 0.4, ['passport', 'travel', 'document']],
  US_DRIVER_LICENSE: ['D1234567', 0.3, ['driver', 'license', 'dl']],
  US_BANK_NUMBER: ['12345678', 0.05, ['account', 'bank', 'routing']],
  MEDICAL_LICENSE: ['MD12345', 0.4, ['medical', 'license', 'physician', 'doctor']],
  IN_PAN: ['ABCDE1234F', 0.85, ['pan', 'permanent account']],
  IN_PASSPORT: ['A1234567', 0.6, ['passport', 'travel']],
  IN_VEHICLE_REGISTRATION: ['MH1A1234', 0.6, ['vehicle', 'registration', 'car']],
  IN_VOTER: ['ABC1234567', 0.6, ['voter', 'epic']],
  IN_GSTIN: ['27AAPFU0939F1ZV', 0.85, ['gstin', 'gst']],
  IT_IDENTITY_CARD: ['CA12345AA', 0.7, ['identity', 'carta identita']],
  IT_DRIVER_LICENSE: ['AB1234567C', 0.6, ['patente', 'driver']],
  IT_PASSPORT: ['AA1234567', 0.6, ['passport', 'passaporto']],
  SG_UEN: ['12345678A', 0.5, ['uen', 'singapore', 'company']],
  BR_RG: ['12.345.678-X', 0.4, ['rg', 'registro geral', 'identidade', 'carteira de identidade']],
  BR_CEP: ['01310-100', 0.5, ['cep', 'código postal', 'codigo postal', 'endereço', 'endereco']],
  BR_PLACA: ['ABC-1234', 0.6, ['placa', 'veículo', 'veiculo', 'carro']],
  AWS_ACCESS_KEY: ['AKIAIOSFODNN7EXAMPLE', 0.9, ['aws', 'access', 'key']],
  JWT: ['eyJhbGciOi_J9.eyJzdWIiOiIx.c2ln-x', 0.9, ['jwt', 'token', 'bearer']],
}

describe.each(Object.entries(TYPES))('%s', (type, [text, score, words]) => {
  const isFound = (line: string, threshold: number) => {
    const masking = new Masking({ ...EVERYTHING, entities: [type], threshold })
    return masking.mask(Buffer.from(line)).toString().includes(`<${type}>`)
  }

  it('is as sure as its form', () => {
    expect([isFound(`here ${text}`, score), isFound(`here ${text}`, score + 0.01)]).toEqual([true, false])
  })

  it('is surer after each of its words, in whatever case', () => {
    expect(words.filter((word) => !isFound(`${word} ${text}`, score + 0.1))).toEqual([])
    expect(words.filter((word) => !isFound(`${word.toUpperCase()}: ${text}`, score + 0.1))).toEqual([])
    expect(isFound(`other ${text}`, score + 0.1)).toBe(false)
  })
})
