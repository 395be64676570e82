import type { Logger } from '../../basics/logger.ts'
import type { Entry } from '../../envvars/entry.ts'
import { Redaction } from '../../policy/redaction/redactor.ts'
import { looksOrdinary, type SecretNames } from '../../policy/redaction/secret-names.ts'
import { formsOf, MAX_BYTES, secretsAmong, MIN_SECRET_BYTES } from '../../policy/redaction/secrets.ts'

/**
 * Maximum number of connections in the agent's status, and of names per connection. The command doctor shows
 * them.
 */
const MAX_TOLD_CONNECTIONS = 100
const MAX_NAMES = 20

/**
 * Maximum number of connections whose compiled secrets are reused. The variables of a new session are
 * compared with the variables of each of these connections.
 */
const MAX_KNOWN_REDACTIONS = 16

/**
 * Lets the sessions of a connection share compiled secrets: compiling hundreds of secrets takes longer than
 * the command. The references are weak, so that no secret stays in memory only to be shared.
 */
export class Redactions {
  readonly #names: SecretNames
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #ordinary = new Map<string, string[]>()
  /** Compiled secrets of earlier sessions. The most recently used are the last. */
  #known: WeakRef<SessionRedaction>[] = []

  constructor(names: SecretNames, log: Pick<Logger, 'info' | 'warn'>) {
    this.#names = names
    this.#log = log
  }

  /** Names of secrets whose values look ordinary, by connection. */
  get ordinary(): ReadonlyMap<string, string[]> {
    return this.#ordinary
  }

  /** @param entries the variables of one session */
  of(entries: readonly Entry[]): Redaction {
    const named = entries.filter(({ origin }) => origin !== 'agent')
    const alive = this.#known.map((known) => known.deref()).filter((known) => known !== undefined)
    const redaction = alive.find((known) => known.isOf(named)) ?? this.#compiled(named, entries)
    const others = alive.filter((known) => known !== redaction).slice(1 - MAX_KNOWN_REDACTIONS)
    this.#known = [...others, redaction].map((known) => new WeakRef(known))
    return redaction
  }

  #compiled(named: readonly Entry[], entries: readonly Entry[]): SessionRedaction {
    this.#tellOrdinary(named, entries)
    return this.#compile(named)
  }

  /**
   * Logs the names once per connection. If a secret's value is ordinary, such as a host, it is replaced
   * everywhere in the output, and this can mislead readers.
   */
  #tellOrdinary(named: readonly Entry[], entries: readonly Entry[]): void {
    const names = named.filter((entry) => this.#isOrdinarySecret(entry)).map(({ name }) => name)
    const connection = entries.find(({ name }) => name === 'HOOP_CONNECTION_NAME')?.value.toString() ?? ''
    if (names.length === 0 || this.#ordinary.has(connection) || this.#ordinary.size >= MAX_TOLD_CONNECTIONS)
      return
    this.#ordinary.set(connection, names.slice(0, MAX_NAMES))
    const text =
      'some secrets have ordinary values, which are replaced everywhere in the output; exempt harmless variables with redact.names'
    this.#log.info({ connection, names }, text)
  }

  #isOrdinarySecret({ kind, name, value, origin }: Entry): boolean {
    if (kind !== 'envvar' || origin !== 'connection' || value.length < MIN_SECRET_BYTES) return false
    return this.#names.isSecret(name, origin, value) && looksOrdinary(value)
  }

  #compile(entries: readonly Entry[]): SessionRedaction {
    const secrets = secretsAmong(
      entries.flatMap(({ kind, name, value, origin }) =>
        origin === 'agent' ? [] : [{ kind, name, value, origin }],
      ),
      this.#names,
    )
    const total = secrets.reduce((sum, { length }) => sum + length, 0)
    if (total > MAX_BYTES)
      this.#log.warn(
        { bytes: total, limit: MAX_BYTES },
        'the secrets of a session have too many bytes: the longest secrets are not redacted in the output',
      )
    return new SessionRedaction(entries, formsOf(secrets))
  }
}

class SessionRedaction extends Redaction {
  readonly #entries: readonly Entry[]

  constructor(entries: readonly Entry[], texts: readonly Buffer[]) {
    super(texts)
    this.#entries = entries
  }

  /** @param entries in the same order for all sessions */
  isOf(entries: readonly Entry[]): boolean {
    return (
      entries.length === this.#entries.length && this.#entries.every((one, at) => isSame(one, entries[at]))
    )
  }
}

function isSame({ name, kind, origin, value }: Entry, other: Entry | undefined): boolean {
  if (other?.name !== name || other.kind !== kind || other.origin !== origin) return false
  return value.equals(other.value)
}
