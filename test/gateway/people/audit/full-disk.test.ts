import path from 'node:path'
import { expect, it } from 'vitest'
import { SmallDisk } from '../../../support/machine/small-disk.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const canMount = process.geteuid?.() === 0 && SmallDisk.permitted()

it.skipIf(!canMount)(
  'what only takes something away happens on a full disk, too: a kill, and a token that is revoked',
  async () => {
    using disk = new SmallDisk('8M')
    await using gateway = await RunningGateway.start(
      {},
      { state: path.join(disk.path, 'state'), limits: '{ agent-wait: 60s, wait: 100ms }' },
    )
    const { body: made } = await gateway.request('POST', '/api/tokens', { name: 'lost', user: 'other' })
    const { body: running } = await gateway.script('sleep 60')
    expect(running['output_status']).toBe('running')
    disk.fill()
    await waitFor(async () => (await gateway.script('x')).status === 503)
    expect(await gateway.request('POST', '/api/users', { email: 'new' })).toMatchObject({ status: 503 })

    const killed = await gateway.request('POST', `/api/sessions/${String(running['session_id'])}/kill`)
    expect(killed.status).toBe(204)
    await gateway.request('DELETE', `/api/tokens/${String(made['id'])}`)
    const asked = await gateway.request('GET', '/api/userinfo', undefined, {
      authorization: `Bearer ${String(made['token'])}`,
    })
    expect(asked.status).toBe(401)

    disk.free()
    await waitFor(async () => (await gateway.request('POST', '/api/users', { email: 'new' })).status === 201)
    const { body } = await gateway.request('GET', '/api/audit/logs?action=gap')
    expect(body['data']).toMatchObject([
      { request_payload_redacted: { missing_entries: expect.any(Number) as number } },
    ])
  },
)
