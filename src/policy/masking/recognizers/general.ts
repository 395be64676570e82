import { iban, luhn } from '../checks/digits.ts'
import { findEmails } from '../find/email.ts'
import { pattern, type Recognizer } from './recognizer.ts'

const MONTHS = 'January|February|March|April|May|June|July|August|September|October|November|December'
const SHORT_MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|[01]?\d?\d)`
const GROUP = '[0-9A-Fa-f]{1,4}'
const JOINT = '(?:[-.]|_)?'

/** What is the same in every country, in the reference's order. */
export const GENERAL: readonly Recognizer[] = [
  {
    name: 'EmailRecognizer',
    type: 'EMAIL_ADDRESS',
    patterns: [{ find: findEmails, score: 0.5 }],
    context: ['email', 'mail'],
  },
  {
    name: 'PhoneRecognizer',
    type: 'PHONE_NUMBER',
    patterns: [
      pattern(String.raw`(?<!\w)(?:\+?1${JOINT})?(?:\(\d{3}\)|\d{3})${JOINT}\d{3}${JOINT}\d{4}\b`, 0.5),
      pattern(String.raw`(?<!\w)\+(?:(?:[.()-]|_){0,2}\d){8,15}\b`, 0.5),
      pattern(String.raw`(?<!\w)(?:\+?55${JOINT})?(?:\(\d{2}\)|\d{2})${JOINT}9?\d{4}${JOINT}\d{4}\b`, 0.5),
    ],
    context: ['phone', 'number', 'telephone', 'cell', 'mobile'],
  },
  {
    name: 'CreditCardRecognizer',
    type: 'CREDIT_CARD',
    patterns: [pattern(String.raw`\b(?:[346]\d|5[0-5])\d{2}(?:[- ]?\d{3,4}){2}[- ]?\d{3,5}\b`, 0.3)],
    context: ['credit', 'card', 'visa', 'mastercard', 'cc', 'amex', 'discover'],
    check: luhn,
  },
  {
    name: 'CryptoRecognizer',
    type: 'CRYPTO',
    patterns: [
      pattern(String.raw`\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b`, 0.5),
      pattern(String.raw`\b0x[0-9A-Fa-f]{40}\b`, 0.5),
    ],
    context: ['wallet', 'bitcoin', 'btc', 'ethereum', 'eth'],
  },
  {
    name: 'IpRecognizer',
    type: 'IP_ADDRESS',
    patterns: [
      pattern(String.raw`\b(?:${OCTET}\.){3}${OCTET}\b`, 0.6),
      // Two groups written out take half the time of all in the loop.
      pattern(String.raw`\b${GROUP}:${GROUP}:(?:${GROUP}:){5}${GROUP}\b`, 0.6),
    ],
    context: ['ip', 'address', 'ipv4', 'ipv6'],
  },
  {
    name: 'UrlRecognizer',
    type: 'URL',
    patterns: [pattern(String.raw`\b(?:https?://|ftp://|www\.)[^\t\n\f\r /$.?#][^\t\n\f\r ]+\b`, 0.5)],
    context: ['url', 'link', 'website'],
  },
  {
    name: 'DateTimeRecognizer',
    type: 'DATE_TIME',
    patterns: [
      pattern(String.raw`\b(?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|[12]\d|3[01])[/-]\d{4}\b`, 0.6),
      pattern(String.raw`\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b`, 0.7),
      pattern(String.raw`\b(?:${MONTHS})_+\d{1,2},?_+\d{4}\b`, 0.8),
      pattern(String.raw`\b(?:${SHORT_MONTHS})\.?_+\d{1,2},?_+\d{4}\b`, 0.7),
    ],
    context: ['date', 'born', 'birthday', 'dob'],
  },
  {
    name: 'IbanRecognizer',
    type: 'IBAN_CODE',
    patterns: [
      pattern(String.raw`\b[A-Z]{2}\d{2}[A-Z0-9]{1,30}\b`, 0.3),
      pattern(String.raw`\b[A-Z]{2}\d{2}_?(?:[A-Z0-9]{4}_?){1,7}[A-Z0-9]{1,4}\b`, 0.4),
    ],
    context: ['iban', 'account', 'bank'],
    check: iban,
  },
]
