import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Locks } from '../../../../src/gateway/locks/locks.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { gatewayMetrics } from '../../../../src/gateway/operating/monitoring.ts'
import { SessionTally } from '../../../../src/gateway/sessions/session-tally.ts'
import { Metrics } from '../../../../src/operations/metrics.ts'
import { Authority } from '../../../support/network/certificates.ts'
import { parseOpenMetrics, type MetricFamily } from '../../../support/openmetrics.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const OWN = 'runbook_gateway_'
const METRICS = { listen: 'metrics: 127.0.0.1:0' }

async function scraped(of: RunningGateway): Promise<MetricFamily[]> {
  const accept = 'application/openmetrics-text'
  const response = await fetch(`${of.gateway.metrics ?? ''}/metrics`, { headers: { accept } })
  expect(response.status).toBe(200)
  return parseOpenMetrics(await response.text())
}

/** The gateway's own, by name and labels. */
async function figures(of: RunningGateway): Promise<Record<string, number>> {
  const samples = (await scraped(of)).flatMap((family) => family.samples)
  return Object.fromEntries(
    samples
      .filter(({ name }) => name.startsWith(OWN))
      .map(({ name, labels, value }) => [
        [name.slice(OWN.length), ...Object.values(labels)].join(' '),
        value,
      ]),
  )
}

describe('the monitoring of a gateway', () => {
  it('counts sessions that run and end, by outcome, with how long they took', async () => {
    await using gateway = await RunningGateway.start({}, METRICS)
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await waitFor(() => agent.agent.state.name === 'serving')
    const before = await figures(gateway)
    await gateway.script('true')
    await gateway.script('exit 3')
    await gateway.script('sleep 0.2')
    const after = await figures(gateway)
    const more = (name: string) => (after[name] ?? 0) - (before[name] ?? 0)
    expect(more('sessions_ended_total succeeded')).toBe(2)
    expect(more('sessions_ended_total failed')).toBe(1)
    expect(more('session_duration_seconds_count')).toBe(3)
    expect(more('session_duration_seconds_sum')).toBeGreaterThan(0.2)
    expect(more('session_duration_seconds_bucket +Inf')).toBe(3)
    expect(more('session_duration_seconds_bucket 0.1')).toBeLessThan(3)
    expect(after['sessions_running']).toBe(0)
    expect(after).toMatchObject({
      agents_configured: 1,
      agents_connected: 1,
      'info 1.2.3': 1,
      history_writable: 1,
    })
    expect(after['history_size_bytes']).toBeGreaterThan(0)
    expect(after['state_free_bytes']).toBeGreaterThan(0)
  })

  it('shows what runs now, and by which code it has ended without one of its own', async () => {
    await using gateway = await RunningGateway.start({}, METRICS)
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await waitFor(() => agent.agent.state.name === 'serving')
    const asked = gateway.script('while :; do read -rt 1 x < <(:); done')
    await waitFor(async () => (await figures(gateway))['sessions_running'] === 1)
    const { body } = await gateway.request('GET', '/api/sessions?limit=1')
    const [session] = body['data'] as { id: string }[]
    await gateway.request('POST', `/api/sessions/${session?.id ?? ''}/kill`)
    await asked
    await waitFor(async () => (await figures(gateway))['sessions_running'] === 0)
    expect(await figures(gateway)).toMatchObject({
      'sessions_ended_by_gateway_total session-killed': 1,
      'sessions_ended_total no-code': 1,
    })
  })

  it('counts failed sign-ins, and says nothing of a certificate that there is not', async () => {
    await using gateway = await RunningGateway.start({}, METRICS)
    const before = (await figures(gateway))['sign_ins_failed_total'] ?? 0
    await gateway.request('GET', '/api/userinfo', undefined, { authorization: 'Bearer wrong' })
    const after = await figures(gateway)
    expect(after['sign_ins_failed_total']).toBe(before + 1)
    expect(Object.keys(after).filter((name) => name.startsWith('certificate'))).toEqual([])
  })

  it('has no label whose values somebody can make up', async () => {
    await using gateway = await RunningGateway.start({}, METRICS)
    const labels = (await scraped(gateway)).flatMap(({ name, samples }) =>
      samples.filter(() => name.startsWith(OWN)).flatMap((sample) => Object.keys(sample.labels)),
    )
    expect([...new Set(labels)].sort()).toEqual(['le', 'outcome', 'version'])
  })

  it('serves figures and probes there, and nothing that needs a token', async () => {
    await using gateway = await RunningGateway.start({}, METRICS)
    const at = (where: string) => fetch(`${gateway.gateway.metrics ?? ''}${where}`)
    const health = await at('/healthz')
    expect([health.status, await health.text()]).toEqual([200, 'ok\n'])
    const readiness = await at('/readyz')
    expect([readiness.status, await readiness.text()]).toEqual([200, 'ready\n'])
    expect((await at('/api/sessions')).status).toBe(404)
    expect((await fetch(`${gateway.gateway.http}/metrics`)).status).toBe(401)
  })

  it('tells what it can while the history cannot be read', async () => {
    const state = mkdtempSync(path.join(tmpdir(), 'metrics-'))
    const history = openHistory(path.join(state, 'history.sqlite'))
    const retention = { retainMs: 1, sizeBytes: 7, auditRetainMs: 1, connections: new Map() }
    const source = gatewayMetrics({
      ...{ version: '1', history, locks: new Locks(), tls: undefined },
      settings: { value: { state, history: retention } },
      sessions: { running: 2, tally: new SessionTally() },
      agents: { names: ['a'], connected: 1 },
      ...{ clients: { count: 3 }, users: { attempts: { total: 0 } } },
    })
    const metrics = new Metrics({ source, loopDelayMs: () => 0 })
    expect((await metrics.scrape(undefined)).text).toContain('runbook_gateway_webhook_queue_messages 0\n')
    history.close()
    const { text } = await metrics.scrape(undefined)
    expect(text).toContain('runbook_gateway_client_streams 3\n')
    expect(text).toContain('runbook_gateway_history_limit_bytes 7\n')
    expect(text).not.toMatch(/^runbook_gateway_(webhook_queue_messages|history_size_bytes) /m)
    rmSync(state, { recursive: true })
  })

  it('names everything in the docs and on the dashboard, and nothing that there is not', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'metrics-tls-'))
    const issued = new Authority('metrics').issue({ names: ['127.0.0.1'] })
    const tls = { certificate: path.join(folder, 'tls.crt'), key: path.join(folder, 'tls.key') }
    writeFileSync(tls.certificate, issued.certificate)
    writeFileSync(tls.key, issued.key)
    await using secure = await RunningGateway.start({}, { ...METRICS, tls })
    const families = await scraped(secure)
    expect((await figures(secure))['certificate_expiry_timestamp_seconds']).toBeGreaterThan(Date.now() / 1000)
    const names = families.map(({ name, type }) => (type === 'counter' ? `${name}_total` : name))
    const own = names.filter((name) => name.startsWith(OWN)).sort()
    const inDocs = namesIn(read('docs/operating.md').matchAll(/`(runbook_gateway_\w+)/g))
    expect(inDocs).toEqual(own)
    const expressions = JSON.stringify(
      (JSON.parse(read('deploy/grafana/gateway.json')) as Dashboard).panels.map(({ targets }) => targets),
    )
    const shown = namesIn(expressions.matchAll(/\b((?:runbook_gateway|process|nodejs)_\w+)/g))
    const plain = shown.map((name) =>
      names.includes(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
    )
    expect(plain.filter((name) => !names.includes(name))).toEqual([])
    expect(own.filter((name) => !plain.includes(name))).toEqual([])
    rmSync(folder, { recursive: true })
  })
})

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly targets: readonly { readonly expr: string }[]
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  }[]
}

it('the dashboard has no two panels of one id or in one place, and asks its data source for everything', () => {
  const { panels } = JSON.parse(read('deploy/grafana/gateway.json')) as Dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(panels.filter(({ targets }) => targets.some(({ expr }) => !expr.includes('job=~"$job"')))).toEqual(
    [],
  )
})

function namesIn(found: Iterable<RegExpMatchArray>): string[] {
  return [...new Set(Array.from(found, ([, name = '']) => name))].sort()
}

function read(file: string): string {
  return readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8')
}
