import type { Matched, Subject } from '../subject.ts'
import { iban, luhn, pattern, type Recognizer } from './recognizer.ts'

/**
 * Keys and tokens, which hoop's engine does not know. They are searched for only when rules name them. `\x5f`
 * stands for `_`, because a plain `_` in these patterns means a space.
 */
export const SECRETS: readonly Recognizer[] = [
  {
    name: 'AwsAccessKeyRecognizer',
    type: 'AWS_ACCESS_KEY',
    patterns: [pattern(String.raw`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b`, 0.9)],
    context: ['aws', 'access', 'key'],
  },
  {
    name: 'AwsSecretKeyRecognizer',
    type: 'AWS_SECRET_KEY',
    patterns: [pattern(String.raw`(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])`, 0.5)],
    context: ['aws', 'secret', 'secretaccesskey'],
    needsContext: true,
  },
  {
    name: 'JwtRecognizer',
    type: 'JWT',
    patterns: [
      pattern(
        String.raw`(?<![A-Za-z0-9\x5f-])eyJ[A-Za-z0-9\x5f-]{5,}\.eyJ[A-Za-z0-9\x5f-]{5,}\.[A-Za-z0-9\x5f-]*`,
        0.9,
      ),
    ],
    context: ['jwt', 'token', 'bearer'],
  },
  {
    name: 'PrivateKeyRecognizer',
    type: 'PRIVATE_KEY',
    patterns: [
      pattern(
        String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!--)){1,16384}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`,
        1,
      ),
    ],
  },
  {
    name: 'BearerTokenRecognizer',
    type: 'BEARER_TOKEN',
    patterns: [pattern(String.raw`\b[Bb](?:earer|EARER)[\t ]{1,8}[A-Za-z0-9.\x5f~+/-]{16,}={0,2}`, 0.8)],
    context: ['authorization', 'token'],
  },
]

const WORD = 1
const LOCAL = 2

const KINDS = kinds()

/** Searches around each `@`. A regular expression takes quadratic time in a long text without `@`. */
function findEmails({ text }: Subject, from: number, found: Matched): undefined {
  let limit = from
  for (let at = text.indexOf('@', from); at !== -1; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, limit, at)
    const end = start === undefined ? undefined : hostEnd(text, at + 1)
    if (start === undefined || end === undefined) continue
    found(start, end)
    limit = end
  }
  return undefined
}

/**
 * Returns the first word boundary inside the local part, where the match begins. The local part cannot begin
 * or end with a dot.
 */
function localStart(text: string, limit: number, at: number): number | undefined {
  if (at === limit || !is(text, at - 1, LOCAL)) return undefined
  let start = at
  while (start > limit && (is(text, start - 1, LOCAL) || text[start - 1] === '.')) start--
  for (; start < at; start++) {
    if (is(text, start, LOCAL) && is(text, start - 1, WORD) !== is(text, start, WORD)) return start
  }
  return undefined
}

/** Returns the end of the host name: labels that are joined by `.` or `-`, with at least one dot. */
function hostEnd(text: string, start: number): number | undefined {
  let end = start
  let dots = 0
  for (;;) {
    const label = end
    while (is(text, end, WORD)) end++
    if (end === label) return undefined
    const isJoined = (text[end] === '.' || text[end] === '-') && is(text, end + 1, WORD)
    if (!isJoined) return dots > 0 ? end : undefined
    if (text[end] === '.') dots++
    end++
  }
}

function is(text: string, offset: number, kind: number): boolean {
  return ((KINDS[text.charCodeAt(offset)] ?? 0) & kind) !== 0
}

function kinds(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0; byte < 128; byte++) {
    const letter = String.fromCharCode(byte)
    if (/\w/.test(letter)) table[byte] = WORD | LOCAL
    else if ("!#$%&'*+-/=?^`{|}~".includes(letter)) table[byte] = LOCAL
  }
  return table
}

const MONTHS = 'January|February|March|April|May|June|July|August|September|October|November|December'
const SHORT_MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|[01]?\d?\d)`
const GROUP = '[0-9A-Fa-f]{1,4}'
const JOINT = '(?:[-.]|_)?'

/** Types that are the same in every country, in the order of hoop's engine. */
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
      // Two groups written out take half the time of a loop over all groups.
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
