import { DecodeError, type Packet, type SessionId, sessionSpec } from '../packet.ts'

/**
 * Reads a JSON object as Go reads a struct. Absent and null fields have the zero value, and unknown fields
 * are ignored. Errors name the field, and never quote its content.
 */
class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #place: string

  private constructor(fields: Readonly<Record<string, unknown>>, place: string) {
    this.#fields = fields
    this.#place = place
  }

  /** Reads null as an empty object. @throws DecodeError for any other value that is not a JSON object */
  static parse(json: Buffer): JsonFields {
    let value: unknown
    try {
      value = JSON.parse(json.toString('utf8'))
    } catch {
      // The parser's own message would quote the text.
      throw new DecodeError('payload', 'not valid JSON')
    }
    return new JsonFields(asObject(value ?? {}, 'payload'), '')
  }

  text(name: string): string {
    return asText(this.#value(name) ?? '', this.#placeOf(name))
  }

  texts(name: string): readonly string[] {
    const value = this.#value(name) ?? []
    const place = this.#placeOf(name)
    if (!Array.isArray(value)) throw new DecodeError(place, 'expected a list of texts')
    return value.map((item: unknown, at) => asText(item ?? '', `${place}[${at}]`))
  }

  textMap(name: string): ReadonlyMap<string, string> {
    const place = this.#placeOf(name)
    const object = asObject(this.#value(name) ?? {}, place)
    const entries = Object.entries(object).map(
      ([key, value]) => [key, asText(value ?? '', `${place}[${JSON.stringify(key)}]`)] as const,
    )
    return new Map(entries)
  }

  object(name: string): Readonly<Record<string, unknown>> | null {
    const value = this.#value(name) ?? null
    return value === null ? null : asObject(value, this.#placeOf(name))
  }

  inner(name: string): JsonFields {
    return new JsonFields(this.object(name) ?? {}, this.#placeOf(name))
  }

  /** Reads own fields only: `__proto__` is data. */
  #value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  #placeOf(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`
  }
}

function asText(value: unknown, place: string): string {
  if (typeof value === 'string') return value
  throw new DecodeError(place, 'expected a string')
}

function asObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new DecodeError(place, 'expected an object')
}

// Requests of the gateway itself to an agent (protocol.md 3.6). Clients cannot forge them: the gateway drops
// their Sys packets. The embedded gateway sends none, so there is no encoder.

/** A request to run a script before or after a session, or for an event of the gateway. */
export interface HookRequest {
  readonly kind: 'hook'
  readonly command: readonly string[]
  readonly script: string
  readonly payload: Buffer
  readonly session: string
  /** `connection`, `connectionType` and `userEmail` are empty when the session closes. */
  readonly connection: string
  readonly connectionType: string
  readonly userEmail: string
  /** The connection's variables: `envvar:NAME` with the value in base64. */
  readonly connectionEnvs: Readonly<Record<string, unknown>>
}

/** A request to run a script with some variables, for example for a health check or a test of credentials. */
export interface BareExecRequest {
  readonly kind: 'bare-exec'
  readonly command: readonly string[]
  /** The script as a Go template. */
  readonly script: string
  /** The value of `.` in the Go template. Null means an empty value. */
  readonly templateData: Readonly<Record<string, unknown>> | null
  /** The variables by name. Their values are plain text. */
  readonly variables: ReadonlyMap<string, string>
}

interface MalformedRequest {
  readonly kind: 'malformed'
  readonly of: 'hook' | 'bare-exec'
  /** Names the place of the error, never the content. */
  readonly reason: string
}

export type SystemRequest =
  | HookRequest
  | BareExecRequest
  /** Work that only hoop's agent does. This agent does not read the details. */
  | { readonly kind: 'provision' }
  | { readonly kind: 'pgmanager' }
  | MalformedRequest

/** Never throws, because a malformed request needs an answer, too. */
export function decodeSystemRequest({ type, payload }: Packet): SystemRequest | undefined {
  switch (type) {
    case 'SysRunbookHookRequestType':
      return orMalformed('hook', () => decodeHook(payload))
    case 'SysBareExecRequest':
      return orMalformed('bare-exec', () => decodeBareExec(payload))
    case 'SysProvisionDBRolesRequest':
      return { kind: 'provision' }
    case 'SysPgManagerPlanRequest':
    case 'SysPgManagerApplyRequest':
      return { kind: 'pgmanager' }
    default:
      return undefined
  }
}

function orMalformed(of: MalformedRequest['of'], decode: () => SystemRequest): SystemRequest {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError) return { kind: 'malformed', of, reason: error.message }
    throw error
  }
}

function decodeHook(payload: Buffer): HookRequest {
  const fields = JsonFields.parse(payload)
  const opened = fields.inner('event_session_open')
  return {
    kind: 'hook',
    command: fields.texts('command'),
    script: fields.text('input_file'),
    payload,
    session: fields.text('sid'),
    connection: opened.text('connection_name'),
    connectionType: opened.text('connection_type'),
    userEmail: opened.text('user_email'),
    connectionEnvs: opened.object('connection_envs') ?? {},
  }
}

function decodeBareExec(payload: Buffer): BareExecRequest {
  const fields = JsonFields.parse(payload)
  return {
    kind: 'bare-exec',
    command: fields.texts('command'),
    script: fields.text('script'),
    templateData: fields.object('template_data'),
    variables: fields.textMap('env_vars'),
  }
}

/** The answer to a system request (protocol.md 3.6). */
export type SystemReply =
  | { readonly kind: 'hook'; readonly exitCode: number; readonly output: string; readonly seconds: number }
  | { readonly kind: 'bare-exec'; readonly succeeded: boolean; readonly output: string }
  /** The agent always refuses these two requests. */
  | { readonly kind: 'provision' | 'pgmanager'; readonly message: string }

/** The gateway finds the receiver of the answer by `sid`, the id of the request. */
export function encodeSystemReply(sid: SessionId, reply: SystemReply): Packet {
  const { type, text } = encoded(sid, reply)
  return { type, spec: sessionSpec(sid), payload: Buffer.from(text) }
}

function encoded(sid: SessionId, reply: SystemReply): { readonly type: string; readonly text: string } {
  switch (reply.kind) {
    case 'hook': {
      const { exitCode: exit_code, output, seconds: execution_time_sec } = reply
      const text = JSON.stringify({ id: sid, exit_code, output, execution_time_sec })
      return { type: 'SysRunbookHookResponseType', text }
    }
    case 'bare-exec': {
      const status = reply.succeeded ? 'success' : 'failed'
      return { type: 'SysBareExecResponse', text: JSON.stringify({ sid, status, output: reply.output }) }
    }
    case 'provision': {
      const text = JSON.stringify({ sid, status: 'failed', message: reply.message })
      return { type: 'SysProvisionDBRolesResponse', text }
    }
    case 'pgmanager':
      // The answers to `Apply` and to `Plan` have the same type. A JSON string is valid YAML.
      return { type: 'SysPgManagerPlanResponse', text: planYaml(sid, reply.message) }
  }
}

function planYaml(sid: SessionId, message: string): string {
  const quoted = JSON.stringify
  return `sid: ${quoted(sid)}\nstate_migration: []\nstatus: failed\nmessage: ${quoted(message)}\n`
}
