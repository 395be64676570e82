import type { Rule } from '../../policy/guardrails/rules.ts'
import type { GuardrailInfo } from '../../wire/messages/guardrails-info.ts'
import type { GuardrailSettings } from '../settings/settings.ts'

/** Makes the agent's form of the rules: one set of rules per name (protocol.md 8.1). */
export function guardRailRules(guardrails: readonly GuardrailSettings[]): Buffer | undefined {
  if (guardrails.length === 0) return undefined
  const sets = (direction: 'input' | 'output') =>
    guardrails
      .map((one) => one[direction])
      .filter(({ length }) => length > 0)
      .map((rules) => ({ rules: rules.map(ruleJson) }))
  return Buffer.from(JSON.stringify({ input_rules: sets('input'), output_rules: sets('output') }))
}

function ruleJson({ type, words, pattern, message }: Rule): object {
  return { type, words, pattern_regex: pattern, message }
}

/** Adds the names of rules, because agents do not know them. Rules of the agent itself already have names. */
export function withNames(
  infos: readonly GuardrailInfo[],
  guardrails: readonly GuardrailSettings[],
): readonly GuardrailInfo[] {
  return infos.map((info) => {
    const owner = guardrails.find((one) => one[info.direction].some((rule) => isSame(rule, info)))
    return info.ruleName !== '' || owner === undefined ? info : { ...info, ruleName: owner.name }
  })
}

function isSame(rule: Rule, { type, words, pattern, message }: GuardrailInfo): boolean {
  const key = (...parts: unknown[]) => JSON.stringify(parts)
  return key(rule.type, rule.words, rule.pattern, rule.message) === key(type, words, pattern, message)
}

/** Most broken rules that are listed per session. A connection has fewer rules. */
const MAX_BROKEN = 1000

/** Rules that a session's native clients have broken. Each is listed once. */
export class BrokenRules {
  readonly #guardrails: readonly GuardrailSettings[]
  readonly #infos = new Map<string, GuardrailInfo>()

  constructor(guardrails: readonly GuardrailSettings[]) {
    this.#guardrails = guardrails
  }

  add(infos: readonly GuardrailInfo[]): void {
    for (const info of withNames(infos, this.#guardrails)) {
      const { ruleName, type, words, pattern, direction, message } = info
      const key = JSON.stringify([ruleName, type, words, pattern, direction, message])
      if (this.#infos.size < MAX_BROKEN && !this.#infos.has(key)) this.#infos.set(key, info)
    }
  }

  get all(): readonly GuardrailInfo[] {
    return [...this.#infos.values()]
  }
}

/** The words of hoop's gateway, for the record (protocol.md 8.1). */
export function blockedText(infos: readonly GuardrailInfo[]): string {
  const beginning =
    infos.length === 1
      ? 'Blocked by the following Guardrails rule: '
      : `Blocked because ${infos.length} Guardrails rules were violated: `
  return infos.length === 0 ? '' : beginning + infos.map(ruleText).join('; ')
}

function ruleText({ ruleName, type, words, pattern, direction, message }: GuardrailInfo): string {
  const list = direction === 'input' ? 'InputRules' : 'OutputRules'
  const place = `match guard rail [${ruleName === '' ? list : `${list}:${ruleName}`}] rule, type=${type}`
  const what = type === 'pattern_match' ? `patterns=${pattern}` : `words=[${words.join(' ')}]`
  return `${message === '' ? '' : `${message}, `}${place}, ${what}`
}
