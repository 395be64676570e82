import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Metrics, wantsOpenMetrics } from '../../src/operations/metrics.ts'
import { agentMetrics } from '../../src/operations/metrics-table.ts'
import type { Status } from '../../src/operations/status.ts'
import { parseOpenMetrics, type MetricFamily } from '../support/openmetrics.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'

const OPEN = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

function metricsOf(status: () => Status): Metrics {
  return new Metrics({ source: agentMetrics(status), loopDelayMs: () => 250 })
}

async function scraped(status: Status): Promise<MetricFamily[]> {
  return parseOpenMetrics((await metricsOf(() => status).scrape(OPEN)).text)
}

/** Samples as a scrape shows them, without what prom-client adds of the process. */
async function own(status: Status): Promise<Record<string, number>> {
  const samples = (await scraped(status)).flatMap((family) => family.samples)
  return Object.fromEntries(
    samples
      .filter(({ name }) => name.startsWith('runbook_agent_'))
      .map(({ name, labels, value }) => [
        [name.slice('runbook_agent_'.length), ...Object.values(labels)].join(' '),
        value,
      ]),
  )
}

test('every number of the status is in a scrape', async () => {
  expect(await own(sampleStatus())).toEqual({
    'info 1.2.3 posix': 1,
    'connection_state idle': 0,
    'connection_state connecting': 0,
    'connection_state polling': 0,
    'connection_state serving': 1,
    'connection_state waiting': 0,
    'connection_state conflict': 0,
    'connection_state refused': 0,
    'connection_state draining': 0,
    'connection_state stopped': 0,
    connection_state_since_timestamp_seconds: 1_772_359_200,
    reconnects_total: 11,
    last_health_check_timestamp_seconds: 1_772_359_220.5,
    last_health_check_duration_seconds: 0.012,
    send_stalled_seconds: 0,
    send_stalled_bytes: 0,
    sessions_running: 2,
    sessions_limit: 100,
    sessions_opened_total: 41,
    sessions_started_total: 40,
    'sessions_ended_total exited': 30,
    'sessions_ended_total signaled': 3,
    'sessions_ended_total failed': 0,
    'sessions_ended_total refused': 0,
    'sessions_ended_total not-started': 0,
    'sessions_ended_by_agent_total timeout': 4,
    'sessions_ended_by_agent_total gateway-lost': 5,
    'guardrail_blocks_total input_rules[0].rules[1] deny_words_list: no drops': 3,
    closes_confirmed_total: 31,
    closes_unconfirmed_total: 6,
    output_read_bytes_total: 5_000_000,
    output_sent_bytes_total: 4_000_000,
    output_left_out_bytes_total: 1_000_001,
    output_redacted_bytes_total: 77,
    output_tail_memory_bytes: 8192,
    'system_requests_total exited': 21,
    'system_requests_total signaled': 0,
    'system_requests_total failed': 0,
    'system_requests_total refused': 13,
    'system_requests_total not-started': 0,
    leftover_processes_ended_total: 9,
    journal_lines_lost_total: 8,
    event_loop_delay_max_seconds: 0.25,
  })
})

test('a gateway that takes nothing is seen, and for how long', async () => {
  const since = new Date(Date.now() - 90_000).toISOString()
  const { send_stalled_seconds: seconds, send_stalled_bytes: bytes } = await own(
    sampleStatus({ stall: { since, bytes: 200_000 } }),
  )
  expect([Math.floor(Number(seconds)) >= 90, bytes]).toEqual([true, 200_000])
})

test('a health check that never was has no time', async () => {
  const names = Object.keys(await own(sampleStatus({ health: undefined })))
  expect(names.filter((name) => name.startsWith('last_health_check'))).toEqual([])
})

test('a state that is not known yet is shown beside the others', async () => {
  const found = await own(sampleStatus({ state: 'sideways' }))
  expect(found['connection_state sideways']).toBe(1)
  expect(found['connection_state serving']).toBe(0)
})

test('a name from elsewhere cannot break the text', async () => {
  const name = 'a"b\\c\nd'
  const found = await scraped(
    sampleStatus({}, { sessions: { ...sampleStatus().sessions, reasons: { [name]: 1 } } }),
  )
  const family = found.find((one) => one.name === 'runbook_agent_sessions_ended_by_agent')
  expect(family?.samples.map(({ labels }) => labels['reason'])).toEqual([name])
})

test('a scrape shows what is true at that moment, and nothing of the one before', async () => {
  let status = sampleStatus({ state: 'sideways' })
  const metrics = metricsOf(() => status)
  await metrics.scrape(OPEN)
  status = sampleStatus({ state: 'draining', reconnects: 12, health: undefined })
  const { text } = await metrics.scrape(OPEN)
  expect(text).toContain('runbook_agent_reconnects_total 12\n')
  expect(text).toContain('runbook_agent_connection_state{state="draining"} 1\n')
  expect(text).not.toContain('sideways')
  expect(text).not.toMatch(/^runbook_agent_last_health_check/m)
})

test('the two forms do not disturb each other, one after the other and at once', async () => {
  const metrics = metricsOf(() => sampleStatus())
  await metrics.scrape(OPEN)
  const scrapes = await Promise.all(
    [undefined, OPEN, undefined, OPEN].map((accept) => metrics.scrape(accept)),
  )
  for (const [index, { contentType, text }] of scrapes.entries()) {
    const isOpen = index % 2 === 1
    expect(contentType).toBe(
      isOpen
        ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
        : 'text/plain; version=0.0.4; charset=utf-8',
    )
    expect(text.includes('# EOF')).toBe(isOpen)
    expect(text).toContain(`# TYPE runbook_agent_reconnects${isOpen ? '' : '_total'} counter\n`)
    expect(text).toContain('\nrunbook_agent_reconnects_total 11\n')
    expect(text).toContain('\nprocess_cpu_seconds_total ')
  }
})

test('OpenMetrics is for who asks for it', () => {
  const classic = [
    undefined,
    '',
    '*/*',
    'text/plain',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=0.4, text/plain;q=0.5',
    'application/openmetrics-text;q=x',
  ]
  const open = [
    OPEN,
    'application/openmetrics-text',
    'APPLICATION/OPENMETRICS-TEXT; VERSION=1.0.0; Q=0.5',
    'application/vnd.google.protobuf;proto=x;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3',
  ]
  expect(classic.filter(wantsOpenMetrics)).toEqual([])
  expect(open.filter(wantsOpenMetrics)).toEqual(open)
})

test('docs/operating.md names every metric that a scrape has, and no other', async () => {
  const names = (await scraped(sampleStatus())).map(({ name, type }) =>
    type === 'counter' ? `${name}_total` : name,
  )
  const document = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const documented = document.matchAll(/`((?:runbook_agent|process|nodejs)_\w+)/g)
  expect([...new Set(Array.from(documented, ([, name]) => name))].sort()).toEqual(names.sort())
})

test('the parser of these tests is a strict one', () => {
  const good = '# HELP a_b x\n# TYPE a_b counter\na_b_total{c="d"} 1\n# EOF\n'
  expect(parseOpenMetrics(good)).toEqual([
    {
      name: 'a_b',
      type: 'counter',
      help: 'x',
      samples: [{ name: 'a_b_total', labels: { c: 'd' }, value: 1 }],
    },
  ])
  const bad = {
    'a counter without _total': good.replace('a_b_total', 'a_b'),
    'no end': good.replace('# EOF\n', ''),
    'something behind the end': `${good}a_b_total 2\n`,
    'a sample twice': good.replace('a_b_total{c="d"} 1\n', 'a_b_total{c="d"} 1\na_b_total{c="d"} 2\n'),
    'a label that is not closed': good.replace('"d"', '"d'),
    'a label twice': good.replace('c="d"', 'c="d",c="e"'),
    'no number': good.replace(' 1\n', ' one\n'),
    'an unknown type': good.replace('counter', 'thing'),
    'a family without a type': good.replace('# TYPE a_b counter\n', ''),
    'a family twice': good.replace('# EOF\n', good),
    'a bound that is no float': '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\n# EOF\n',
  }
  for (const [what, text] of Object.entries(bad)) expect(() => parseOpenMetrics(text), what).toThrow()
})
