import { sessionSpec, type Packet, type SessionId } from '../packet.ts'

/** The answer to a system request (protocol.md 3.6). */
export type SystemReply =
  | { readonly kind: 'hook'; readonly exitCode: number; readonly output: string; readonly seconds: number }
  | { readonly kind: 'bare-exec'; readonly succeeded: boolean; readonly output: string }
  /** Always refused. */
  | { readonly kind: 'provision' | 'pgmanager'; readonly message: string }

/** @param sid of the request. The gateway finds by it who waits for the answer */
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
      // The answer to `Apply` has the same type as that to `Plan`. A JSON string is valid YAML.
      return { type: 'SysPgManagerPlanResponse', text: planYaml(sid, reply.message) }
  }
}

function planYaml(sid: SessionId, message: string): string {
  const quoted = JSON.stringify
  return `sid: ${quoted(sid)}\nstate_migration: []\nstatus: failed\nmessage: ${quoted(message)}\n`
}
