import { statfsSync } from 'node:fs'
import type { Logger } from '../../basics/logger.ts'
import type { Address } from '../../basics/net/address.ts'
import type { Opened } from '../../basics/opened.ts'
import {
  counter,
  counters,
  type Definition,
  familiesOf,
  gauge,
  type MetricSource,
} from '../../operations/metrics.ts'
import type { Agents } from '../agents/agents.ts'
import type { History } from '../history/history.ts'
import type { SignInAttempts } from '../people/identities/sign-in-attempts.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Current } from '../settings/settings.ts'
import { HistoryError } from '../store/errors.ts'
import type { Tables } from '../store/room.ts'
import type { ServerCertificate } from '../tls/certificates.ts'

interface Watched {
  readonly measured: Measured
  readonly condition: () => Condition
  readonly log: Logger
}

/**
 * Opens the port for Prometheus and probes. The port serves only figures and states, because its callers have
 * no token.
 * @returns undefined if `listen.metrics` is not set
 * @throws SetUpError
 */
export async function openMetrics(
  listen: Address | undefined,
  { measured, condition, log }: Watched,
  opened: Opened,
): Promise<string | undefined> {
  if (listen === undefined) return undefined
  // The module is loaded only if it is needed, because loading takes a tenth of the start time.
  const { openHttp } = await import('../../operations/http.ts')
  const readiness = () => {
    const { status, reason, warning } = readinessOf(condition())
    const line = [reason ?? status, warning].filter((one) => one !== undefined).join('; ')
    return { ok: status === 'ready', line }
  }
  const http = await openHttp({
    listen,
    setting: 'listen.metrics',
    metrics: gatewayMetrics(measured),
    readiness,
    log,
  })
  opened.add(async () => http[Symbol.asyncDispose]())
  return http.address
}

interface Measured {
  readonly version: string
  readonly settings: Current<'history' | 'state'>
  readonly sessions: Pick<Sessions, 'running' | 'tally'>
  readonly history: Pick<History, 'obstacle' | 'openSessions' | 'unwrittenBytes' | 'usedBytes' | 'read'>
  readonly agents: Pick<Agents, 'names' | 'connected'>
  readonly clients: { readonly count: number }
  readonly locks: { readonly length: number }
  readonly users: { readonly attempts: Pick<SignInAttempts, 'total'> }
  readonly tls: Pick<ServerCertificate, 'endsAt'> | undefined
}

/** Upper bounds of the histogram in seconds, from immediate answers to runs of a day. */
const SESSION_SECONDS = [0.1, 0.5, 1.5, 5.5, 15.5, 60.5, 300.5, 1800.5, 7200.5, 86_400.5]

/**
 * The metrics. Callers cannot choose the value of any label, so there are no labels for users, connections,
 * runbooks or agents. docs/operating.md has the same list, and a test compares both lists.
 */
const DEFINITIONS: readonly Definition<Measured>[] = [
  {
    name: 'info',
    type: 'gauge',
    help: 'Always 1; the version is in the label.',
    labels: ['version'],
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  ...sessions(),
  ...peers(),
  ...queues(),
  ...historyFile(),
  counter(
    'sign_ins_failed',
    'Wrong tokens and agent keys, over REST and gRPC.',
    ({ users }) => users.attempts.total,
  ),
  gauge('certificate_expiry_timestamp_seconds', 'When the certificate of listen.tls expires.', ({ tls }) =>
    tls === undefined ? undefined : tls.endsAt / 1000,
  ),
]

export function gatewayMetrics(measured: Measured): MetricSource {
  return {
    prefix: 'runbook_gateway_',
    families: familiesOf(DEFINITIONS, () => measured),
    distributions: [
      {
        name: 'session_duration_seconds',
        help: 'Duration of the commands of sessions, without waits for approvals, locks and agents.',
        buckets: SESSION_SECONDS,
        follow: (told) => measured.sessions.tally.follow(told),
      },
    ],
  }
}

function sessions(): Definition<Measured>[] {
  return [
    gauge(
      'sessions_running',
      'Sessions that run, or wait for an agent or a lock.',
      ({ sessions }) => sessions.running,
    ),
    gauge(
      'sessions_waiting',
      'Sessions that wait for approval, or are approved and have not started.',
      (now) => Math.max(0, now.history.openSessions - now.sessions.running),
    ),
    counters('sessions_ended', 'Sessions that ran and ended, by outcome.', 'outcome', ({ sessions }) => ({
      ...sessions.tally.outcomes,
    })),
    counters(
      'sessions_ended_by_gateway',
      'Sessions that ended without an exit code, by the code of the reason.',
      'code',
      ({ sessions }) => Object.fromEntries(sessions.tally.codes),
    ),
    counter(
      'sessions_unrecorded',
      'Sessions whose output or end could not be written when they ended.',
      ({ sessions }) => sessions.tally.unrecorded,
    ),
  ]
}

function peers(): Definition<Measured>[] {
  return [
    gauge('agents_configured', 'Agents in gateway.yaml.', ({ agents }) => agents.names.length),
    gauge('agents_connected', 'Agents in gateway.yaml that are connected.', ({ agents }) => agents.connected),
    gauge(
      'client_streams',
      'Connected command lines (exec, connect) and terminals of the page.',
      ({ clients }) => clients.count,
    ),
  ]
}

function queues(): Definition<Measured>[] {
  return [
    gauge('lock_queue_sessions', 'Sessions that wait for a lock.', ({ locks }) => locks.length),
    stored('webhook_queue_messages', 'Webhook messages that wait for delivery.', ({ webhooks }) =>
      webhooks.waitingInAll(),
    ),
    {
      ...stored(
        'webhook_messages_delivered_total',
        'Messages that receivers have accepted.',
        ({ webhooks }) => sum(webhooks.states().map(({ delivered }) => delivered)),
      ),
      type: 'counter',
    },
    {
      ...stored('webhook_messages_dropped_total', 'Messages that were given up.', ({ webhooks }) =>
        sum(webhooks.states().map(({ dropped }) => dropped)),
      ),
      type: 'counter',
    },
    stored('jira_queue_issues', 'Issues of ended sessions that are still to be moved.', ({ issues }) =>
      issues.waiting(),
    ),
    stored(
      'schedule_runs_unfinished',
      'Runs of schedules that have begun and not ended.',
      ({ schedules }) => schedules.unfinished().length,
    ),
    gauge(
      'history_queue_bytes',
      'Bytes recorded in memory and not yet written to the file.',
      (now) => now.history.unwrittenBytes,
    ),
  ]
}

function historyFile(): Definition<Measured>[] {
  return [
    gauge(
      'history_writable',
      '1 while sessions can be recorded and therefore can start, else 0.',
      ({ history }) => (history.obstacle === undefined ? 1 : 0),
    ),
    gauge('history_size_bytes', 'Bytes of the history that count towards history.size.', ({ history }) =>
      known(() => history.usedBytes),
    ),
    gauge(
      'history_limit_bytes',
      'history.size of gateway.yaml.',
      ({ settings }) => settings.value.history.sizeBytes,
    ),
    gauge('state_free_bytes', 'Free bytes on the disk of the state folder.', ({ settings }) =>
      freeBytes(settings.value.state),
    ),
  ]
}

/** Defines a metric whose value comes from tables of the history. */
function stored(name: string, help: string, read: (tables: Tables) => number): Definition<Measured> {
  return gauge(name, help, ({ history }) => known(() => history.read(read)))
}

/** Returns undefined while the file cannot be read, so that the other metrics are still served. */
function known(read: () => number): number | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof HistoryError) return undefined
    throw error
  }
}

function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return undefined
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

/** The state of the gateway for probes and operators. It contains no secrets. */
export interface Condition {
  /** Time in ms since 1970 at which the gateway ends running sessions. Set only while the gateway stops. */
  readonly stopsAt: number | undefined
  /** Says why no session can begin; otherwise undefined. */
  readonly obstacle: string | undefined
  /** Says why old sessions are not removed; otherwise undefined. */
  readonly doubt: string | undefined
  readonly webhooks: string | undefined
  readonly issues: string | undefined
  /** A warning, for example that the certificate expires soon. */
  readonly certificate: string | undefined
}

interface Readiness {
  readonly status: 'ready' | 'degraded' | 'stopping'
  readonly reason?: string
  readonly warning?: string
}

/**
 * `degraded`: no session can begin. `stopping`: running sessions continue for a while, and new sessions are
 * refused.
 */
export function readinessOf(condition: Condition): Readiness {
  const { stopsAt, obstacle, doubt, issues, webhooks, certificate } = condition
  const warning = [doubt, issues, webhooks, certificate].filter((one) => one !== undefined).join('; ')
  if (stopsAt !== undefined)
    return {
      status: 'stopping',
      reason: `the gateway is stopping: running sessions continue until ${new Date(stopsAt).toISOString()}, new sessions are refused`,
      ...(warning !== '' && { warning }),
    }
  return {
    status: obstacle === undefined ? 'ready' : 'degraded',
    ...(obstacle !== undefined && { reason: `the session history cannot be written: ${obstacle}` }),
    ...(warning !== '' && { warning }),
  }
}
