import {
  esNie,
  esNif,
  fiPersonalCode,
  itFiscalCode,
  itVat,
  krRrn,
  plPesel,
  thTnin,
} from '../checks/other-countries.ts'
import { pattern, type Recognizer } from './recognizer.ts'

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
