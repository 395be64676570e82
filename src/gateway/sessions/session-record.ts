import { sumOfCounts } from '../../basics/text/units.ts'
import type { WindowSize } from '../../basics/window-size.ts'
import { Redaction, type Redactor } from '../../policy/redaction/redactor.ts'
import { SecretNames } from '../../policy/redaction/secret-names.ts'
import { formsOf, type NamedValue, secretsAmong, textsOfSecret } from '../../policy/redaction/secrets.ts'
import type { MaskedOutput } from '../../wire/messages/masking-info.ts'
import type { ClosedMessage, OutputMessage, SessionId } from '../../wire/messages/message.ts'
import { HIDDEN } from '../../wire/messages/hidden-passwords.ts'
import { cutStatement } from '../../wire/messages/statement-text.ts'
import type { History } from '../history/history.ts'
import type { RecordedEnd } from '../history/session.ts'
import { beginLine, endLine, lostLine } from './statements/lines.ts'
import { CUT_ERROR, type ErrorText, type StatementNotes } from './statements/running.ts'
import type { SessionRequest } from './session-request.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** A shorter beginning of a secret within quotes is often an ordinary word. */
const MIN_BEGINNING_BYTES = 4
/** The agent's rule for secret names, without names from settings. */
const NAMES = new SecretNames([])

interface RecordRedaction {
  readonly redaction: Redaction
  /** Memory of this session alone, without the part that all sessions of the connection share. */
  readonly ownBytes: number
}

/** Replaces secrets of connections and callers in records. */
export class RecordRedactions {
  /** A redaction is compiled once per connection, so that 500 terminals do not hold 500 copies. */
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

/** A plain variable, like a variable of a client, is a secret only if its name sounds like one. */
function secretsOf({ secrets, plain }: ConnectionSettings): Buffer[] {
  const variables = variablesIn(secrets, 'connection').map((variable) =>
    variable.kind === 'envvar' && plain.includes(variable.name)
      ? { ...variable, origin: 'client' as const }
      : variable,
  )
  return secretsAmong(variables, NAMES)
}

/** Keys are `envvar:NAME` or `filesystem:NAME`, values are base64. The agent refuses malformed entries. */
function variablesIn(entries: ReadonlyMap<string, string>, origin: NamedValue['origin']): NamedValue[] {
  return [...entries].map(([key, encoded]) => {
    const [kind, name = ''] = key.split(':', 2)
    const value = Buffer.from(encoded, 'base64')
    return { kind: kind === 'filesystem' ? kind : 'envvar', name, origin, value }
  })
}

/**
 * Records a running session with secrets replaced. Bytes that may begin a secret are held back until more
 * bytes arrive. They are recorded with the time of their release.
 */
export class SessionRecord {
  readonly #sid: SessionId
  readonly #history: History
  readonly #redaction: Redaction
  /**
   * Undefined if the output becomes the answer to a request. The agent has already replaced the secrets in
   * this output.
   */
  readonly #streams: Readonly<Record<'stdout' | 'stderr', Redactor>> | undefined
  readonly #total = new MaskedTotal()
  /** Beginning of the command; before it, the time at which the gateway began to wait for lock and agent. */
  #clockAt = performance.now()
  #hasBegun = false

  constructor(sid: SessionId, history: History, redaction: Redaction, origin: SessionRequest['origin']) {
    this.#sid = sid
    this.#history = history
    this.#redaction = redaction
    if (origin === 'client') this.#streams = { stdout: redaction.stream(), stderr: redaction.stream() }
  }

  /** Notes that the agent has opened the session: the command begins now. */
  begin(): void {
    this.#hasBegun = true
    this.#clockAt = performance.now()
    this.#history.begun(this.#sid, new Date())
  }

  /** Returns for how long the command has run, in seconds. Returns undefined if it has not begun. */
  get ranFor(): number | undefined {
    return this.#hasBegun ? this.#elapsed : undefined
  }

  script(script: Buffer): void {
    this.#append('i', this.#redaction.replaceIn(script))
  }

  /** Records the statements of one connection of a native client. */
  statements(connectionId: string): StatementNotes {
    const append = (line: string) => this.#append('o', Buffer.from(line))
    return {
      began: (text) => {
        const cut = cutStatement(text)
        const query = cut === undefined ? this.#whole(text) : `${this.#beginning(cut.kept)}${cut.note}`
        append(beginLine(connectionId, query))
      },
      ended: ({ errorText: said, ...end }) =>
        append(endLine(connectionId, { ...end, errorText: said && this.#redacted(said) })),
      lost: () => append(lostLine(connectionId)),
    }
  }

  #whole(text: string): string {
    return this.#redaction.replaceIn(Buffer.from(text)).toString()
  }

  /** Returns a text that is cut. The last bytes are left out if they may be the beginning of a secret. */
  #beginning(text: string): string {
    return this.#redaction.stream().push(Buffer.from(text)).toString()
  }

  /**
   * MySQL quotes the first 80 characters of the rest of a statement, as in `near '...' at line 1`: so a quoted text
   * may end within a secret.
   */
  #withoutQuotedBeginnings(text: string): string {
    const reading = this.#redaction.stream()
    const pieces = text.split(/(?=['"`])/).map((piece, at, all) => {
      const bytes = Buffer.from(piece)
      reading.push(bytes)
      const held = Math.min(reading.held, bytes.length)
      const isBeginning = reading.held >= MIN_BEGINNING_BYTES && at < all.length - 1
      return isBeginning ? `${bytes.subarray(0, bytes.length - held).toString()}${HIDDEN}` : piece
    })
    return pieces.join('')
  }

  /** Returns one line. */
  #redacted({ text, isCut }: ErrorText): string {
    const shown = isCut ? `${this.#beginning(text)}${CUT_ERROR}` : this.#whole(text)
    return this.#withoutQuotedBeginnings(shown)
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
  }

  output({ kind, data, masked }: OutputMessage): void {
    if (masked !== undefined) this.#total.add(masked)
    const bytes = this.#streams === undefined ? data : this.#streams[kind].push(data)
    this.#append('o', bytes, kind === 'stderr')
  }

  /** Adds the masking of a server's answer to a native client. */
  masked(masked: MaskedOutput): void {
    this.#total.add(masked)
  }

  closed({ masked }: ClosedMessage): void {
    if (masked !== undefined) this.#total.addLast(masked)
  }

  /** Records the size of the window, because the replay of a terminal needs it. */
  size({ cols, rows }: WindowSize): void {
    this.#append('r', Buffer.from(`${cols}x${rows}`))
  }

  /** @param text text about the end; an empty text is not recorded */
  close(text: string): void {
    for (const [kind, redactor] of Object.entries(this.#streams ?? {}))
      this.#append('o', redactor.end(), kind === 'stderr')
    this.#append('e', this.#redaction.replaceIn(Buffer.from(text)))
  }

  /** @throws HistoryError as `History.finish` does */
  finish(end: Omit<RecordedEnd, 'endedAt' | 'masking'>): void {
    const redactedHere = this.#redactors().map(({ redacted }) => redacted)
    const redactedBytes = sumOfCounts(end.redactedBytes ?? 0, ...redactedHere)
    const { json: masking } = this.#total
    this.#history.finish(this.#sid, {
      ...end,
      redactedBytes,
      endedAt: new Date(),
      ...(masking !== undefined && { masking }),
    })
  }

  get #elapsed(): number {
    return (performance.now() - this.#clockAt) / 1000
  }

  #redactors(): Redactor[] {
    return this.#streams === undefined ? [] : Object.values(this.#streams)
  }

  #append(kind: 'i' | 'o' | 'e' | 'r', bytes: Buffer, isStderr = false): void {
    // The size of a terminal may be known before the terminal begins. Its replay begins with this size.
    const seconds = this.#hasBegun || kind === 'e' ? this.#elapsed : 0
    if (bytes.length > 0) this.#history.append(this.#sid, kind, bytes, seconds, isStderr)
  }
}

/**
 * Most types that are counted by their names. A connection has fewer types. Further types count only in the
 * total.
 */
const NAMED_TYPES = 100
/** Longest name of a type, as in gateway.yaml. */
const MAX_TYPE_CHARACTERS = 100

/** Sums up the agent's masking of a session, as hoop's gateway does (protocol.md 8.2). */
class MaskedTotal {
  #errors = 0
  #bytes = 0
  #count = 0
  readonly #types = new Map<string, number>()

  add({ bytes, counts, errors }: MaskedOutput): void {
    this.#errors += errors.length
    this.#bytes = sumOfCounts(this.#bytes, bytes)
    for (const [type, count] of counts) this.#addType(type, count)
  }

  /**
   * Adds the masking of the close message. Agents report their failures there a second time, so failures that
   * were added before are not added again.
   */
  addLast(masked: MaskedOutput): void {
    this.add(this.#errors === 0 ? masked : { ...masked, errors: [] })
  }

  /** `data_masking` of a session's metrics; undefined while nothing was masked and nothing has failed. */
  get json(): string | undefined {
    if (this.#errors + this.#bytes + this.#count === 0) return undefined
    return JSON.stringify({
      err_count: this.#errors,
      info_types: Object.fromEntries(this.#types),
      total_redact_count: this.#count,
      transformed_bytes: this.#bytes,
    })
  }

  #addType(type: string, count: number): void {
    this.#count = sumOfCounts(this.#count, count)
    const known = this.#types.get(type)
    const isNamed =
      known !== undefined || (this.#types.size < NAMED_TYPES && type.length <= MAX_TYPE_CHARACTERS)
    if (isNamed) this.#types.set(type, sumOfCounts(known ?? 0, count))
  }
}
