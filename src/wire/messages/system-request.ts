import { DecodeError } from '../errors.ts'
import { JsonFields } from '../json-fields.ts'
import type { Packet } from '../packet.ts'

// What a gateway asks an agent for itself (protocol.md 3.6). Clients cannot forge these, since the gateway drops their
// Sys packets. The embedded gateway sends none, so there is no encoder.

/** Runs a script around a session, or for an event of the gateway's. */
export interface HookRequest {
  readonly kind: 'hook'
  readonly command: readonly string[]
  readonly script: string
  readonly payload: Buffer
  readonly session: string
  /** What is known of that session when it opens; empty when it closes. */
  readonly connection: string
  readonly connectionType: string
  readonly userEmail: string
  /** The connection's variables, `envvar:NAME` to base64. */
  readonly connectionEnvs: Readonly<Record<string, unknown>>
}

/** Runs a script with some variables: a health check, a try of credentials. */
export interface BareExecRequest {
  readonly kind: 'bare-exec'
  readonly command: readonly string[]
  /** A Go template ... */
  readonly script: string
  /** ... and its dot; null is an empty one. */
  readonly templateData: Readonly<Record<string, unknown>> | null
  /** Plain values by name. */
  readonly variables: ReadonlyMap<string, string>
}

interface MalformedRequest {
  readonly kind: 'malformed'
  readonly of: 'hook' | 'bare-exec'
  /** Names where the fault is, never the content. */
  readonly reason: string
}

export type SystemRequest =
  | HookRequest
  | BareExecRequest
  /** Work that only hoop's agent does. Its details are not read. */
  | { readonly kind: 'provision' }
  | { readonly kind: 'pgmanager' }
  | MalformedRequest

/** Never throws: a malformed request has to be answered, too. Undefined for a packet that is no system request. */
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
