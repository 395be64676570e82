import { digitsOf, luhn, pattern, type Recognizer, weighted } from './recognizer.ts'

/** Values of the characters at odd places of an Italian tax code. The digits have the values of A to J. */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Uses the table of the decree of 1976. */
function itFiscalCode(match: string): boolean {
  const sum = Array.from(match.slice(0, 15)).reduce((total, letter, place) => {
    const value = letter > '9' ? letter.charCodeAt(0) - 65 : Number(letter)
    return total + (place % 2 === 0 ? (ODD[value] ?? 0) : value)
  }, 0)
  return String.fromCharCode(65 + (sum % 26)) === match[15]
}

const itVat = luhn

const NIF = 'TRWAGMYFPDXBNJZSQVHLCKE'

function esNif(match: string): boolean {
  return NIF[Number(match.slice(0, 8)) % 23] === match[8]
}

/** Checks a foreigner's number: X, Y and Z stand for 0, 1 and 2. */
function esNie(match: string): boolean {
  return esNif(`${'XYZ'.indexOf(match.charAt(0))}${match.slice(1)}`)
}

function plPesel(match: string): boolean {
  return weighted(digitsOf(match), [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
}

const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY'

function fiPersonalCode(match: string): boolean {
  return FINNISH[Number(match.slice(0, 6) + match.slice(7, 10)) % 31] === match[10]
}

function krRrn(match: string): boolean {
  return elevenLess(weighted(digitsOf(match), [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])) === digitsOf(match)[12]
}

function thTnin(match: string): boolean {
  return (
    elevenLess(weighted(digitsOf(match), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === digitsOf(match)[12]
  )
}

function elevenLess(sum: number): number {
  return (11 - (sum % 11)) % 10
}

export const ITALY_AND_SPAIN: readonly Recognizer[] = [
  {
    name: 'ItFiscalCodeRecognizer',
    type: 'IT_FISCAL_CODE',
    patterns: [pattern(String.raw`\b[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]\b`, 0.85)],
    context: ['codice fiscale', 'fiscal'],
    check: itFiscalCode,
  },
  {
    name: 'ItVatRecognizer',
    type: 'IT_VAT_CODE',
    patterns: [pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['vat', 'iva'],
    check: itVat,
  },
  {
    name: 'ItIdentityCardRecognizer',
    type: 'IT_IDENTITY_CARD',
    patterns: [
      pattern(String.raw`\b[A-Z]{2}\d{5}[A-Z]{2}\b`, 0.7),
      pattern(String.raw`\b[A-Z0-9]{7}\b`, 0.3),
    ],
    context: ['identity', 'carta identita'],
  },
  {
    name: 'ItDriverLicenseRecognizer',
    type: 'IT_DRIVER_LICENSE',
    patterns: [pattern(String.raw`\b[A-Z]{2}\d{7}[A-Z]\b`, 0.6)],
    context: ['patente', 'driver'],
  },
  {
    name: 'ItPassportRecognizer',
    type: 'IT_PASSPORT',
    patterns: [pattern(String.raw`\b[A-Z]{2}\d{7}\b`, 0.6)],
    context: ['passport', 'passaporto'],
  },
  {
    name: 'EsNifRecognizer',
    type: 'ES_NIF',
    patterns: [pattern(String.raw`\b\d{8}[A-Z]\b`, 0.7)],
    context: ['nif', 'dni'],
    check: esNif,
  },
  {
    name: 'EsNieRecognizer',
    type: 'ES_NIE',
    patterns: [pattern(String.raw`\b[XYZ]\d{7}[A-Z]\b`, 0.7)],
    context: ['nie', 'extranjero'],
    check: esNie,
  },
]

export const OTHER_COUNTRIES: readonly Recognizer[] = [
  {
    name: 'PlPeselRecognizer',
    type: 'PL_PESEL',
    patterns: [pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['pesel'],
    check: plPesel,
  },
  {
    name: 'KrRrnRecognizer',
    type: 'KR_RRN',
    patterns: [pattern(String.raw`\b\d{6}-\d{7}\b`, 0.7)],
    context: ['주민등록번호', 'rrn'],
    check: krRrn,
  },
  {
    name: 'FiPersonalCodeRecognizer',
    type: 'FI_PERSONAL_IDENTITY_CODE',
    patterns: [pattern(String.raw`\b\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]\b`, 0.85)],
    context: ['henkilötunnus', 'hetu'],
    check: fiPersonalCode,
  },
  {
    name: 'ThTninRecognizer',
    type: 'TH_TNIN',
    patterns: [pattern(String.raw`\b\d{13}\b`, 0.3), pattern(String.raw`\b\d-\d{4}-\d{5}-\d{2}-\d\b`, 0.85)],
    context: ['บัตรประชาชน', 'tnin'],
    check: thTnin,
  },
]
