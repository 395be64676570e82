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
