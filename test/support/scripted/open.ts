import {
  encodeParams,
  encodeStringMap,
  WITHOUT_PROTECTION,
  type ConnectionParams,
} from '../../../src/wire/params.ts'

/** Spec keys of an AgentSessionOpen for a command-line connection. */
export function openSpec(
  sid: string,
  params: Partial<ConnectionParams>,
  clientEnvVars: Record<string, string> = {},
): Record<string, Buffer | string> {
  return {
    'gateway.session_id': sid,
    'gateway.connection_type': params.connectionType ?? 'command-line',
    'agent.connection_params': encodeParams({ ...minimal, ...params }),
    ...(Object.keys(clientEnvVars).length > 0 && {
      'terminal.envvars': encodeStringMap(new Map(Object.entries(clientEnvVars))),
    }),
  }
}

/** Parameters of a session for native clients of a TCP server on this machine. */
export function tcpParams(port: number): Partial<ConnectionParams> {
  const values = { HOST: '127.0.0.1', PORT: String(port) }
  const envVars = new Map(Object.entries(values).map(([name, value]) => [`envvar:${name}`, base64(value)]))
  return { connectionType: 'tcp', clientVerb: 'connect', clientOrigin: 'client', cmdList: [], envVars }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

const minimal: ConnectionParams = {
  connectionName: 'test',
  connectionType: 'command-line',
  connectionSubType: '',
  userId: 'u1',
  userEmail: 'u1@example.test',
  envVars: new Map(),
  cmdList: ['bash', '--norc', '--noprofile'],
  clientArgs: [],
  clientVerb: 'exec',
  clientOrigin: 'client-api',
  ...WITHOUT_PROTECTION,
}
