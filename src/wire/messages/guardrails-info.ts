/** A rule that was broken, as `client.guardrails_info` has it (protocol.md 8.1). */
export interface GuardrailInfo {
  /** Empty when the agent does not know it: the gateway sends rules without their names. */
  readonly ruleName: string
  readonly type: string
  readonly words: readonly string[]
  readonly pattern: string
  readonly direction: 'input' | 'output'
  /** Words of the rule, or its pattern; never what stood in a script or an output. */
  readonly matchedWords: readonly string[]
  /** What the administrator wants people to read; may be empty. */
  readonly message: string
}

/** Rules that are read of one close. No agent sends more. */
const MAX_INFOS = 1000

export function encodeGuardrailsInfo(infos: readonly GuardrailInfo[]): Buffer {
  return Buffer.from(JSON.stringify(infos.map(guardrailInfoJson)))
}

/** One item of the list. Members that are empty are left out, as Go does. */
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

/** Never throws: the code of the close says all the same that something was blocked. */
export function decodeGuardrailsInfo(bytes: Buffer | undefined): readonly GuardrailInfo[] {
  const list = parsed(bytes)
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

function parsed(bytes: Buffer | undefined): unknown {
  try {
    return bytes && (JSON.parse(bytes.toString('utf8')) as unknown)
  } catch {
    return undefined
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
