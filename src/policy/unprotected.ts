/** The protections a gateway can ask for with a session (protocol.md 8). */
export interface AskedProtections {
  readonly guardRailRules: Buffer | undefined
}

/**
 * Why a session must not run here: it asks for a protection that this agent cannot give, and to run it without would be
 * worse than not to run it. Undefined when nothing is against it.
 */
export function refusalOf(asked: AskedProtections): string | undefined {
  if (hasGuardRails(asked.guardRailRules)) {
    return 'this connection has guardrail rules, which this agent does not enforce yet: nothing was run. Remove the rules from the connection or use an agent that enforces them'
  }
  return undefined
}

/** Rules are `{"input_rules":[{"rules":[...]}],"output_rules":[...]}`. What cannot be read counts as rules. */
function hasGuardRails(rules: Buffer | undefined): boolean {
  const parsed = parse(rules)
  if (parsed === undefined || parsed === null) return false
  if (typeof parsed !== 'object' || Array.isArray(parsed)) return true
  return Object.values(parsed).some((list) => list !== null && !(Array.isArray(list) && list.length === 0))
}

/** Undefined for nothing, `unreadable` for what is not JSON. */
function parse(json: Buffer | undefined): unknown {
  if (json === undefined || json.length === 0) return undefined
  try {
    return JSON.parse(json.toString('utf8')) as unknown
  } catch {
    return 'unreadable'
  }
}
