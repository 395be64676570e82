import type { WindowSize } from '../../basics/window-size.ts'
import { Redaction, type Redactor } from '../../policy/redaction/redactor.ts'
import { SecretNames } from '../../policy/redaction/names/secret-names.ts'
import { formsOf, secretsAmong, textsOfSecret, type NamedValue } from '../../policy/redaction/variables.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { History } from '../history/history.ts'
import type { SessionEnd } from '../history/session.ts'
import type { SessionRequest } from './session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** The agent's own rule, without its settings. */
const NAMES = new SecretNames([])

/** What is replaced in the record of a session. */
export interface RecordRedaction {
  readonly redaction: Redaction
  /** Memory that it takes of this session, beside what all sessions of the connection share. */
  readonly ownBytes: number
}

/** What the secrets of connections and callers are replaced by in records. */
export class RecordRedactions {
  /** Each compiled once for all sessions of the connection: 500 terminals must not hold 500 of them. */
  readonly #shared = new Map<ConnectionSettings, Redaction>()

  of({ connection, envVars, secretValues = [] }: SessionRequest): RecordRedaction {
    const client = secretsAmong(variablesIn(envVars, 'client'), NAMES)
    const own = [...client, ...secretValues.flatMap(textsOfSecret)]
    if (own.length === 0) return { redaction: this.#sharedOf(connection), ownBytes: 0 }
    const redaction = new Redaction(formsOf([...secretsOf(connection), ...own]))
    return { redaction, ownBytes: redaction.memoryBytes }
  }

  #sharedOf(connection: ConnectionSettings): Redaction {
    const redaction = this.#shared.get(connection) ?? new Redaction(formsOf(secretsOf(connection)))
    this.#shared.set(connection, redaction)
    return redaction
  }
}

function secretsOf({ secrets }: ConnectionSettings): Buffer[] {
  return secretsAmong(variablesIn(secrets, 'connection'), NAMES)
}

/** The wire's form: `envvar:NAME` or `filesystem:NAME` to base64. What is malformed the agent refuses. */
function variablesIn(entries: ReadonlyMap<string, string>, origin: NamedValue['origin']): NamedValue[] {
  return [...entries].map(([key, encoded]) => {
    const [kind, name = ''] = key.split(':', 2)
    const value = Buffer.from(encoded, 'base64')
    return { kind: kind === 'filesystem' ? kind : 'envvar', name, origin, value }
  })
}

/**
 * What is written down of one session while it lasts, with secrets replaced. What may be the beginning of a secret is not
 * written before it is known what comes behind it: then, and with the time of that.
 */
export class SessionRecord {
  readonly #sid: SessionId
  readonly #history: History
  readonly #redaction: Redaction
  /** undefined: the agent has replaced the secrets already, since the output is for an answer. */
  readonly #streams: Readonly<Record<'stdout' | 'stderr', Redactor>> | undefined
  readonly #startedAt = performance.now()

  constructor(sid: SessionId, history: History, redaction: Redaction, origin: SessionRequest['origin']) {
    this.#sid = sid
    this.#history = history
    this.#redaction = redaction
    if (origin === 'client') this.#streams = { stdout: redaction.stream(), stderr: redaction.stream() }
  }

  script(script: Buffer): void {
    this.#append('i', this.#redaction.replaceIn(script))
  }

  output(stream: 'stdout' | 'stderr', data: Buffer): void {
    this.#append('o', this.#streams === undefined ? data : this.#streams[stream].push(data))
  }

  /** For the replay of a terminal. */
  size({ cols, rows }: WindowSize): void {
    this.#append('r', Buffer.from(`${cols}x${rows}`))
  }

  /** There is no output any more. @param text about the end; empty: none */
  close(text: string): void {
    for (const redactor of this.#redactors()) this.#append('o', redactor.end())
    this.#append('e', this.#redaction.replaceIn(Buffer.from(text)))
  }

  /** @throws HistoryError as `History.finish` does */
  finish(end: Omit<SessionEnd, 'endedAt'>): void {
    const redactedHere = this.#redactors().reduce((sum, { redacted }) => sum + redacted, 0)
    const redactedBytes = (end.redactedBytes ?? 0) + redactedHere
    this.#history.finish(this.#sid, { ...end, redactedBytes, endedAt: new Date() })
  }

  #redactors(): Redactor[] {
    return this.#streams === undefined ? [] : Object.values(this.#streams)
  }

  #append(kind: 'i' | 'o' | 'e' | 'r', bytes: Buffer): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    if (bytes.length > 0) this.#history.append(this.#sid, kind, bytes, seconds)
  }
}
