import { Buffer } from 'node:buffer'
import { encodeGatewayMessage } from '../dist/wire/messages/from-gateway.js'

/** Packets of a gateway that our agent needs for a session of native clients. */
export const connected = encodeGatewayMessage({ kind: 'connected' })

export const OPENED = 'ClientSessionOpenOK'

/** @param {Readonly<Record<string, string>>} target variables of the connection */
export function opening(sid, target) {
  const encoded = Object.entries(target).map(([name, value]) => [
    `envvar:${name}`,
    Buffer.from(value).toString('base64'),
  ])
  const params = {
    ...{ connectionName: 'bench', connectionType: 'postgres', connectionSubType: 'postgres' },
    ...{ userId: 'bench', userEmail: 'bench@localhost', clientVerb: 'connect', clientOrigin: 'client' },
    ...{ envVars: new Map(encoded), cmdList: [], clientArgs: [], dlpInfoTypes: [] },
    ...{ dlpProvider: '', dlpMode: '', dlpGcpRawCredentialsJson: '' },
    ...{ dlpPresidioAnalyzerUrl: '', dlpPresidioAnonymizerUrl: '' },
  }
  const common = { connectionType: 'postgres', requestPort: '', clientEnvVars: new Map() }
  return encodeGatewayMessage({ kind: 'open', sid, ...common, params })
}
