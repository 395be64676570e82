import { describe, expect, it } from 'vitest'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { BUILT_IN, EXTRA } from '../../../src/policy/masking/recognizers/table.ts'
import { EVERYTHING, type MaskingRules } from '../../../src/policy/masking/rules.ts'

/** Of each type: texts that are found (whole, or the part in brackets), and texts in which nothing is. */
const TYPES: Readonly<Record<string, readonly [found: readonly string[], not: readonly string[]]>> = {
  EMAIL_ADDRESS: [
    ['ann@example.com', '[1|ann@example.com] x', '(.[a.b-c@d-e.f.g].)'],
    ['ann@localhost', 'a.@b.de', '.@b.de', 'a@b@', '@b.de', 'a@-b.de'],
  ],
  PHONE_NUMBER: [
    ['(415) 555-2671', '+44 20 7946 0958', '+55 (21) 92345-6789'],
    ['2+34567890', '415-555-267', '415\t555\t2671'],
  ],
  CREDIT_CARD: [
    ['4111111111111111', '3714 4963 5398 431'],
    ['4111111111111112', '9111111111111111'],
  ],
  IBAN_CODE: [
    ['DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32'],
    ['DE89370400440532013001', 'gb82west12345698765432'],
  ],
  IP_ADDRESS: [
    ['10.0.0.255', '2001:db8:0:0:0:0:0:1'],
    ['10.0.0.256', '2001:db8::1', '1.2.3'],
  ],
  URL: [
    ['https://a.example/x?y=1', '[ftp://files.example].', 'www.example.org'],
    ['HTTPS://A.EXAMPLE', 'http:///x', 'a.example'],
  ],
  DATE_TIME: [
    ['12/31/2031', '2031-12-31', 'January 5, 2031', 'Jan. 5 2031'],
    ['13/31/2031', '2031-13-01', 'Sept 3 2031', 'Jan\t5 2031'],
  ],
  CRYPTO: [
    ['1BoatSLRHtKNngkdXEeobR76b53LETtpyT', '0x52908400098527886E0F7030069857D2E4169EE7'],
    ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', '0x5290'],
  ],
  US_SSN: [
    ['536-90-4399', '536904399'],
    [
      '666-12-3456',
      '000-12-3456',
      '900-12-3456',
      '536-00-4399',
      '536-90-0000',
      '111111111',
      '123456789',
      '012345678',
    ],
  ],
  US_ITIN: [
    ['970-12-3456', '994701234'],
    ['966-12-3456', '993-12-3456', '970-00-3456', '970-12-0000', '870-12-3456'],
  ],
  ABA_ROUTING: [['021000021', '011401533'], ['021000022']],
  US_PASSPORT: [
    ['C12345678', '123456789'],
    ['C1234567', 'CC12345678'],
  ],
  US_DRIVER_LICENSE: [
    ['D1234567', 'DD12345', 'D123456789012'],
    ['D1234', 'd1234567'],
  ],
  US_BANK_NUMBER: [
    ['12345678', '12345678901234567'],
    ['1234567', '123456789012345678'],
  ],
  MEDICAL_LICENSE: [
    ['MD12345', 'A1234'],
    ['MD123', 'MDX12345'],
  ],
  BR_CPF: [
    ['111.444.777-35', '11144477735'],
    ['111.444.777-36', '11144477745', '11111111111'],
  ],
  BR_CNPJ: [
    ['11.222.333/0001-81', '11222333000181'],
    ['11.222.333/0001-82', '11222333000191', '11111111111111'],
  ],
  BR_CNH: [['98765432109'], ['98765432108', '98765432119', '11111111111']],
  BR_PIS: [
    ['12345678900', '123.45678.90-0'],
    ['12345678901', '11111111111'],
  ],
  BR_RENAVAM: [
    ['20193580815', '31974898449'],
    ['20193580816', '11111111111'],
  ],
  BR_CNS: [
    ['297220185600003', '165969980860009', '823111431391203', '823 1114 3139 1203'],
    ['297220185600004', '397220185600003', '297220185600100', '823111431391204'],
  ],
  BR_TITULO_ELEITORAL: [
    ['483917830248', '0709 2329 1295'],
    ['483917830249', '483917839948', '483917830238'],
  ],
  BR_RG: [['12.345.678-X', '1.234.567-8'], ['12.345.678-Y']],
  BR_PLACA: [
    ['abc1d23', 'ABC-1234'],
    ['ab1d234', 'ABC 1234'],
  ],
  BR_CEP: [
    ['01310-100', 'cep [01310100]', 'postal code: [01310100]'],
    ['01310 100', '01310100', 'recepcao 01310100'],
  ],
  BR_PIX_KEY: [
    ['pix [123e4567-e89b-42d3-a456-426614174000]'],
    ['id 123e4567-e89b-42d3-a456-426614174000', 'pix 123e4567-e89b-12d3-a456-426614174000'],
  ],
  UK_NHS: [
    ['943 476 5919', '9434765919'],
    ['9434765918', '943-476-5919'],
  ],
  UK_NINO: [
    ['AB 12 34 56 C', 'AB123456C'],
    ['GB123456C', 'AB123456E', 'DB123456C'],
  ],
  ES_NIF: [['12345678Z'], ['12345678A', '1234567Z']],
  ES_NIE: [['X1234567L'], ['X1234567A', 'A1234567L']],
  AU_TFN: [['123 456 782', '123456782'], ['123456789']],
  AU_ABN: [['51 824 753 556', '51824753556'], ['51824753557']],
  AU_ACN: [['004 085 616', '004085616'], ['004085617']],
  AU_MEDICARE: [
    ['2123 45670 1', '2123456701'],
    ['7123456701', '2123456711'],
  ],
  IN_AADHAAR: [
    ['2341 2341 2346', '234123412346'],
    ['234123412347', '234123421346'],
  ],
  IN_PAN: [['ABCDE1234F'], ['ABCDE12345', 'abcde1234f']],
  IN_PASSPORT: [['A1234567'], ['A123456']],
  IN_VEHICLE_REGISTRATION: [['MH 12 AB 1234', 'MH1A1234'], ['MH 12 AB 123']],
  IN_VOTER: [['ABC1234567'], ['AB1234567']],
  IN_GSTIN: [['27AAPFU0939F1ZV'], ['27AAPFU0939F1XV']],
  IT_FISCAL_CODE: [
    ['RSSMRA85T10A562S', 'MRTMTT91D08F205J'],
    ['RSSMRA85T10A562T', 'MRTMTT91D08F205K'],
  ],
  IT_VAT_CODE: [['00743110157'], ['00743110158']],
  IT_IDENTITY_CARD: [
    ['CA12345AA', 'ABC1234'],
    ['CA1234AA', 'abc1234'],
  ],
  IT_DRIVER_LICENSE: [['AB1234567C'], ['AB123456C']],
  IT_PASSPORT: [['AA1234567'], ['AA123456']],
  SG_FIN: [
    ['F1234567N', 'G1234567X', 'M1234567K'],
    ['F1234567A', 'G1234567N', 'M1234567X', 'S1234567D'],
  ],
  SG_UEN: [['12345678A', '123456789A', 'T08LL1234A'], ['1234567A']],
  PL_PESEL: [['44051401359'], ['44051401358']],
  KR_RRN: [['900101-1234568'], ['900101-1234567', '9001011234568']],
  FI_PERSONAL_IDENTITY_CODE: [['131052-308T'], ['131052-308A', '131052X308T']],
  TH_TNIN: [['1101700230252', '1-1017-00230-25-2'], ['1101700230251']],
  AWS_ACCESS_KEY: [['AKIAIOSFODNN7EXAMPLE'], ['AKIAIOSFODNN7EXAMPL', 'BKIAIOSFODNN7EXAMPLE']],
  AWS_SECRET_KEY: [
    [`aws_secret_access_key=[${'wJalrXUtn+'.repeat(4)}]`],
    ['da39a3ee5e6b4b0d3255bfef95601890afd80709', `secret ${'wJalrXUtn+'.repeat(5)}`],
  ],
  JWT: [
    ['eyJhbGciOi_J9.eyJzdWIiOiIx.c2ln-x'],
    ['eyJhbGciOiJ9.c2lnbmF0dXJl.x', '-eyJhbGciOiJ9.eyJzdWIiOiIx.c2ln'],
  ],
  PRIVATE_KEY: [
    [pem('RSA PRIVATE KEY', 'PRIVATE KEY'), pem('PRIVATE KEY', 'PRIVATE KEY')],
    [pem('PUBLIC KEY', 'PUBLIC KEY'), '-----BEGIN PRIVATE KEY-----\nMIIE'],
  ],
  BEARER_TOKEN: [
    ['Authorization: [Bearer abcdefghijklmnop.q~r==]'],
    ['Bearer of bad news', 'bearer\nabcdefghijklmnopqrst'],
  ],
}

function pem(begin: string, end: string): string {
  return `-----BEGIN ${begin}-----\nMIIEvQ+/=\nProc-Type: 4\n-----END ${end}-----`
}

const mask = (rules: Partial<MaskingRules>, text: string) =>
  new Masking({ ...EVERYTHING, ...rules }).mask(Buffer.from(text)).toString()

describe.each(Object.entries(TYPES))('%s', (type, [found, not]) => {
  it.each(found)('is found in %j', (text) => {
    const whole = text.includes('[') && text.includes(']') ? text : `[${text}]`
    const expected = whole.replace(/\[[^]*\]/, `<${type}>`)
    expect(mask({ entities: [type] }, whole.replace(/[[\]]/g, ''))).toBe(expected)
  })

  it.each(not)('is not found in %j', (text) => {
    expect(mask({ entities: [type] }, text)).toBe(text)
  })
})

describe('the types', () => {
  it('are 51 of the reference and 5 of ours, each with examples here', () => {
    expect(new Set(BUILT_IN.map(({ type }) => type)).size).toBe(51)
    expect(Object.keys(TYPES).sort()).toEqual(
      [...new Set([...BUILT_IN, ...EXTRA].map(({ type }) => type))].sort(),
    )
  })

  it('of ours are looked for only when they are named', () => {
    expect(mask({}, 'key AKIAIOSFODNN7EXAMPLE')).toBe('key AKIAIOSFODNN7EXAMPLE')
  })

  it('of ours give way to a custom type of the same name', () => {
    const custom = [{ name: 'AWS_ACCESS_KEY', regex: 'x\\d', denyList: [], score: 1 }]
    expect(mask({ entities: ['AWS_ACCESS_KEY'], custom }, 'AKIAIOSFODNN7EXAMPLE x1')).toBe(
      'AKIAIOSFODNN7EXAMPLE <AWS_ACCESS_KEY>',
    )
  })
})

describe('refinements', () => {
  it('find IPv6 addresses with :: when asked', () => {
    const text = 'fe80::1, ::1, 2001:db8::7, std::vector, a::zz, 12:30, ::'
    expect(mask({ entities: ['IP_ADDRESS'] }, text)).toBe(text)
    expect(mask({ entities: ['IP_ADDRESS'], refine: ['ipv6'] }, text)).toBe(
      '<IP_ADDRESS>, <IP_ADDRESS>, <IP_ADDRESS>, std::vector, a::zz, 12:30, ::',
    )
  })

  it('leave nine digits without a word before them when asked', () => {
    const text = 'order 457555462, ssn 457555462, 536-90-4399, ssn 000555462'
    expect(mask({ entities: ['US_SSN'] }, text)).toBe('order <US_SSN>, ssn <US_SSN>, <US_SSN>, ssn 000555462')
    expect(mask({ entities: ['US_SSN'], refine: ['ssn'] }, text)).toBe(
      'order 457555462, ssn <US_SSN>, <US_SSN>, ssn 000555462',
    )
  })
})

describe('replacement forms', () => {
  it.each([
    [{ form: 'tag' }, 'ip <IP_ADDRESS>.'],
    [{ form: 'mask', character: '*' }, 'ip *********.'],
    [{ form: 'mask', character: '#', keepLast: 3 }, 'ip ######1.2.'],
    [{ form: 'mask', character: '#', keepLast: 9 }, 'ip 10.11.1.2.'],
    [{ form: 'text', text: '[REDACTED]' }, 'ip [REDACTED].'],
    [{ form: 'nothing' }, 'ip .'],
  ] as const)('%j gives %j', (replacement, masked) => {
    expect(mask({ entities: ['IP_ADDRESS'], replacement }, 'ip 10.11.1.2.')).toBe(masked)
  })

  it('count code points, and keep the last ones whole', () => {
    const custom = [{ name: 'X', regex: 'é.+', denyList: [], score: 1 }]
    expect(
      mask({ entities: [], custom, replacement: { form: 'mask', character: '#', keepLast: 1 } }, 'a é𝔘b😀'),
    ).toBe('a ###😀')
  })
})
