import { allEqual, digitsOf, pattern, type Recognizer, verhoeff, weighted } from './recognizer.ts'

/** Checks whether the number can have been issued. */
function usSsn(match: string): boolean {
  const digits = match.replaceAll('-', '')
  if (!/^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits)) return false
  return !allEqual(digitsOf(digits)) && !'0123456789'.includes(digits)
}

/** Only some ranges of the second and third digit are in use. */
function usItin(match: string): boolean {
  return /^9(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])(?!00)\d{2}(?!0000)\d{4}$/.test(match.replaceAll('-', ''))
}

function abaRouting(match: string): boolean {
  return weighted(digitsOf(match), [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}

/** Numbers with the check value ten are not issued. */
function ukNhs(match: string): boolean {
  const digits = digitsOf(match)
  return (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digits[9]
}

/** Some prefixes are not used. */
function ukNino(match: string): boolean {
  return !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(match)
}

function auTfn(match: string): boolean {
  return weighted(digitsOf(match), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
}

/** One is subtracted from the first digit. */
function auAbn(match: string): boolean {
  const [first = 0, ...others] = digitsOf(match)
  return weighted([Math.max(first - 1, 0), ...others], [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 === 0
}

function auAcn(match: string): boolean {
  return weighted(digitsOf(match), [8, 7, 6, 5, 4, 3, 2, 1, 1]) % 10 === 0
}

function auMedicare(match: string): boolean {
  const digits = digitsOf(match)
  return /^[2-6]/.test(match) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digits[8]
}

const SINGAPORE_FG = 'XWUTRQPNMLK'
const SINGAPORE_M = 'XWUTRQPNJLK'

/** Checks a foreigner's number. Its first letter adds a constant to the sum. */
function sgFin(match: string): boolean {
  const sum = weighted(digitsOf(match), [2, 7, 6, 5, 4, 3, 2])
  if (match.startsWith('M')) return SINGAPORE_M[(sum + 3) % 11] === match[8]
  return SINGAPORE_FG[(sum + (match.startsWith('G') ? 4 : 0)) % 11] === match[8]
}

export const UNITED_STATES: readonly Recognizer[] = [
  {
    name: 'UsSsnRecognizer',
    type: 'US_SSN',
    patterns: [pattern(String.raw`\b\d{3}-\d{2}-\d{4}\b`, 0.85), pattern(String.raw`\b\d{9}\b`, 0.3)],
    context: ['ssn', 'social', 'security'],
    check: usSsn,
  },
  {
    name: 'UsItinRecognizer',
    type: 'US_ITIN',
    patterns: [pattern(String.raw`\b9\d{2}-\d{2}-\d{4}\b`, 0.85), pattern(String.raw`\b9\d{8}\b`, 0.3)],
    context: ['itin', 'taxpayer', 'tax'],
    check: usItin,
  },
  {
    name: 'UsPassportRecognizer',
    type: 'US_PASSPORT',
    patterns: [pattern(String.raw`\b\d{9}\b`, 0.3), pattern(String.raw`\b[A-Z]\d{8}\b`, 0.4)],
    context: ['passport', 'travel', 'document'],
  },
  {
    name: 'UsDriverLicenseRecognizer',
    type: 'US_DRIVER_LICENSE',
    patterns: [
      pattern(String.raw`\b[A-Z]{1,2}\d{5,9}\b`, 0.3),
      pattern(String.raw`\b[A-Z]\d{7}\b`, 0.5),
      pattern(String.raw`\b[A-Z]\d{12}\b`, 0.5),
    ],
    context: ['driver', 'license', 'dl'],
  },
  {
    name: 'UsBankRecognizer',
    type: 'US_BANK_NUMBER',
    patterns: [pattern(String.raw`\b\d{8,17}\b`, 0.05)],
    context: ['account', 'bank', 'routing'],
  },
  {
    name: 'AbaRoutingRecognizer',
    type: 'ABA_ROUTING',
    patterns: [pattern(String.raw`\b\d{9}\b`, 0.5)],
    context: ['routing', 'aba', 'transit'],
    check: abaRouting,
  },
  {
    name: 'MedicalLicenseRecognizer',
    type: 'MEDICAL_LICENSE',
    patterns: [pattern(String.raw`\b[A-Z]{1,2}\d{4,8}\b`, 0.4)],
    context: ['medical', 'license', 'physician', 'doctor'],
  },
]

export const BRITAIN_AND_AUSTRALIA: readonly Recognizer[] = [
  {
    name: 'UkNhsRecognizer',
    type: 'UK_NHS',
    patterns: [pattern(String.raw`\b\d{3}_?\d{3}_?\d{4}\b`, 0.6)],
    context: ['nhs', 'health'],
    check: ukNhs,
  },
  {
    name: 'UkNinoRecognizer',
    type: 'UK_NINO',
    patterns: [pattern(String.raw`\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]_?\d{2}_?\d{2}_?\d{2}_?[A-D]\b`, 0.7)],
    context: ['nino', 'national insurance'],
    check: ukNino,
  },
  {
    name: 'AuTfnRecognizer',
    type: 'AU_TFN',
    patterns: [pattern(String.raw`\b\d{3}_?\d{3}_?\d{3}\b`, 0.3)],
    context: ['tfn', 'tax file'],
    check: auTfn,
  },
  {
    name: 'AuAbnRecognizer',
    type: 'AU_ABN',
    patterns: [pattern(String.raw`\b\d{2}_?\d{3}_?\d{3}_?\d{3}\b`, 0.3)],
    context: ['abn', 'business number'],
    check: auAbn,
  },
  {
    name: 'AuAcnRecognizer',
    type: 'AU_ACN',
    patterns: [pattern(String.raw`\b\d{3}_?\d{3}_?\d{3}\b`, 0.3)],
    context: ['acn', 'company number'],
    check: auAcn,
  },
  {
    name: 'AuMedicareRecognizer',
    type: 'AU_MEDICARE',
    patterns: [pattern(String.raw`\b\d{4}_?\d{5}_?\d\b`, 0.6)],
    context: ['medicare', 'health'],
    check: auMedicare,
  },
]

export const INDIA: readonly Recognizer[] = [
  {
    name: 'InAadhaarRecognizer',
    type: 'IN_AADHAAR',
    patterns: [pattern(String.raw`\b\d{4}_?\d{4}_?\d{4}\b`, 0.6)],
    context: ['aadhaar', 'aadhar'],
    check: verhoeff,
  },
  {
    name: 'InPanRecognizer',
    type: 'IN_PAN',
    patterns: [pattern(String.raw`\b[A-Z]{5}\d{4}[A-Z]\b`, 0.85)],
    context: ['pan', 'permanent account'],
  },
  {
    name: 'InPassportRecognizer',
    type: 'IN_PASSPORT',
    patterns: [pattern(String.raw`\b[A-Z]\d{7}\b`, 0.6)],
    context: ['passport', 'travel'],
  },
  {
    name: 'InVehicleRecognizer',
    type: 'IN_VEHICLE_REGISTRATION',
    patterns: [pattern(String.raw`\b[A-Z]{2}_?\d{1,2}_?[A-Z]{1,2}_?\d{4}\b`, 0.6)],
    context: ['vehicle', 'registration', 'car'],
  },
  {
    name: 'InVoterRecognizer',
    type: 'IN_VOTER',
    patterns: [pattern(String.raw`\b[A-Z]{3}\d{7}\b`, 0.6)],
    context: ['voter', 'epic'],
  },
  {
    name: 'InGstinRecognizer',
    type: 'IN_GSTIN',
    patterns: [pattern(String.raw`\b\d{2}[A-Z]{5}\d{4}[A-Z][A-Z\d]Z[A-Z\d]\b`, 0.85)],
    context: ['gstin', 'gst'],
  },
]

export const SINGAPORE: readonly Recognizer[] = [
  {
    name: 'SgFinRecognizer',
    type: 'SG_FIN',
    patterns: [pattern(String.raw`\b[FGM]\d{7}[A-Z]\b`, 0.7)],
    context: ['fin', 'singapore'],
    check: sgFin,
  },
  {
    name: 'SgUenRecognizer',
    type: 'SG_UEN',
    patterns: [
      pattern(String.raw`\b\d{8,9}[A-Z]\b`, 0.5),
      pattern(String.raw`\b[A-Z]\d{2}[A-Z]{2}\d{4}[A-Z]\b`, 0.7),
    ],
    context: ['uen', 'singapore', 'company'],
  },
]
