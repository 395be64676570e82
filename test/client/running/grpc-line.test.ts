import { expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { grpcAccess, openGrpcLine } from '../../../src/client/running/grpc-line.ts'
import { ConnectProxy } from '../../support/network/connect-proxy.ts'
import { freePort } from '../../support/network/free-port.ts'

it("a user's token in the clear never goes to a proxy", async () => {
  await using proxy = await ConnectProxy.start(await freePort())
  const env = {
    HOOP_APIURL: 'http://gateway.invalid:8009',
    HOOP_GRPCURL: 'grpc://gateway.invalid:8010',
    HOOP_TOKEN: 'the-token-of-a-test',
    RUNBOOK_AGENT_ALLOW_PLAINTEXT: 'true',
    HTTPS_PROXY: `http://${proxy.address}`,
  }
  const access = await grpcAccess(findAccount({ env, stored: undefined, file: 'none' }))
  const request = {
    verb: 'exec',
    connection: 'sh',
    script: Buffer.of(),
    clientArgs: [],
    envVars: new Map(),
  } as const
  const line = openGrpcLine(access, request)
  expect((await line.receive().next()).done).toBe(true)
  expect(line.error?.message).toContain('gateway.invalid')
  expect(proxy.targets).toEqual([])
})
