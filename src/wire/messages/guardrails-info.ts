import { parsedJson } from '../../basics/text/json.ts'

/** A broken rule in `client.guardrails_info` (protocol.md 8.1). */
export interface GuardrailInfo {
  /** Empty when the agent does not know the name: the gateway sends rules without their names. */
  readonly ruleName: string
  readonly type: string
  readonly words: readonly string[]
  readonly pattern: string
  readonly direction: 'input' | 'output'
  /** Words of the rule, or its pattern; never text of a script or an output. */
  readonly matchedWords: readonly string[]
  /** The administrator's message for users; may be empty. */
  readonly message: string
}

/** Maximum number of rules that are read from one close packet. No agent sends more rules. */
const MAX_INFOS = 1000

export function encodeGuardrailsInfo(infos: readonly GuardrailInfo[]): Buffer {
  return Buffer.from(JSON.stringify(infos.map(guardrailInfoJson)))
}

/** Leaves out empty members, as Go does. */
export function guardrailInfoJson(info: GuardrailInfo): Readonly<Record<string, unknown>> {
  const { ruleName, type, words, pattern, direction, matchedWords, message } = info
  return {
    rule_name: ruleName,
    rule: {
      type,
      ...(words.length > 0 && { words }),
      ...(pattern !== '' && { pattern_regex: pattern }),
    },
    direction,
    ...(matchedWords.length > 0 && { matched_words: matchedWords }),
    ...(message !== '' && { message }),
  }
}

/** Ignores unreadable details and never throws. The exit code already says that something was blocked. */
export function decodeGuardrailsInfo(bytes: Buffer | undefined): readonly GuardrailInfo[] {
  const list = bytes && parsedJson(bytes.toString('utf8'))
  return Array.isArray(list) ? list.slice(0, MAX_INFOS).map(infoOf) : []
}

function infoOf(item: unknown): GuardrailInfo {
  const fields = members(item)
  const rule = members(fields['rule'])
  return {
    ruleName: text(fields['rule_name']),
    type: text(rule['type']),
    words: texts(rule['words']),
    pattern: text(rule['pattern_regex']),
    direction: fields['direction'] === 'output' ? 'output' : 'input',
    matchedWords: texts(fields['matched_words']),
    message: text(fields['message']),
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : []
}
