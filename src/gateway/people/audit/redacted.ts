const REDACTED = '[REDACTED]'

/** Names of values that are secrets, or may be: hoop's, and those of scripts and parameters. */
const SECRET =
  /pass(word|phrase|wd)?|secret|token|credential|authorization|private|cookie|^(hashed_)?pw$|api_?key|^key$|_key$|^envs?$|^env_vars$|^hosts_key$|^verifier$|^code$|_code$/i
/** Bodies of executions: what stands there may hold secrets, whatever its name. */
const INPUT = new Set(['script', 'parameters', 'client_args', 'input', 'jira_fields'])

/** So that nobody fills the log with one request. */
const MAX_TEXT = 500
const MAX_ENTRIES = 50
const MAX_DEPTH = 4
const MAX_BYTES = 8 * 1024

/** A request's body as the audit log keeps it: no values of secrets, and not much of anything. */
export function redacted(body: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof body !== 'object' || body === null) return null
  const kept = shortened(body, 0) as Readonly<Record<string, unknown>>
  if (Buffer.byteLength(JSON.stringify(kept)) <= MAX_BYTES) return kept
  return { left_out: 'too long', fields: Object.keys(kept) }
}

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT).toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[LEFT OUT]'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => shortened(one, depth + 1))
  const fields = Object.entries(value).slice(0, MAX_ENTRIES)
  return Object.fromEntries(
    fields.map(([name, one]) => [shortened(name, 0), isSecret(name) ? REDACTED : shortened(one, depth + 1)]),
  )
}

function isSecret(name: string): boolean {
  return INPUT.has(name) || SECRET.test(name)
}
