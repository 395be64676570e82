import { counter, counters, type Definition, familiesOf, gauge, type MetricSource } from './metrics.ts'
import { CONNECTION_STATES, type Status, type StatusSource } from './status.ts'

/** The counters begin with 0, so that Prometheus sees the first outcome as an increase. */
const NO_OUTCOMES = { exited: 0, signaled: 0, failed: 0, refused: 0, 'not-started': 0 }

/** Metrics that are read from the status. docs/operating.md lists them, too; a test compares the lists. */
const DEFINITIONS: readonly Definition<Status>[] = [
  {
    name: 'info',
    type: 'gauge',
    help: 'Always 1; version and engine are in the labels.',
    labels: ['version', 'engine'],
    read: ({ version, engine }) => [{ labels: { version, engine }, value: 1 }],
  },
  ...connection(),
  ...sessions(),
  ...output(),
  counters('system_requests', 'Requests of the gateway itself that ended, by outcome.', 'outcome', (now) => ({
    ...NO_OUTCOMES,
    ...now.systemRequests,
  })),
  counter(
    'leftover_processes_ended',
    'Processes that commands had left behind.',
    (now) => now.processesEnded,
  ),
  counter('journal_lines_lost', 'Journal lines that could not be written.', (now) => now.journalLinesLost),
]

export function agentMetrics(status: StatusSource): MetricSource {
  return { prefix: 'runbook_agent_', families: familiesOf(DEFINITIONS, status), distributions: [] }
}

function connection(): Definition<Status>[] {
  return [
    {
      name: 'connection_state',
      type: 'gauge',
      help: 'State of the connection to the gateway: 1 for the current state, 0 for all other states.',
      labels: ['state'],
      read: ({ connection }) =>
        [...new Set([...CONNECTION_STATES, connection.state])].map((state) => ({
          labels: { state },
          value: state === connection.state ? 1 : 0,
        })),
    },
    gauge('connection_state_since_timestamp_seconds', 'When the connection entered its state.', (now) =>
      seconds(now.connection.since),
    ),
    counter(
      'reconnects',
      'Streams that were opened after the first one.',
      (now) => now.connection.reconnects,
    ),
    gauge('last_health_check_timestamp_seconds', 'When the gateway last answered a health check.', (now) =>
      now.connection.health === undefined ? undefined : seconds(now.connection.health.at),
    ),
    gauge('last_health_check_duration_seconds', 'Duration of the last health check.', (now) =>
      now.connection.health === undefined ? undefined : now.connection.health.milliseconds / 1000,
    ),
    gauge(
      'send_stalled_seconds',
      'Time since the gateway last accepted waiting bytes; 0 while it accepts some.',
      ({ connection: { stall } }) =>
        stall === undefined ? 0 : Math.max(0, Date.now() / 1000 - seconds(stall.since)),
    ),
    gauge(
      'send_stalled_bytes',
      'Bytes that wait during a stall; 0 without a stall.',
      (now) => now.connection.stall?.bytes ?? 0,
    ),
  ]
}

function sessions(): Definition<Status>[] {
  return [
    gauge('sessions_running', 'Executions that run.', (now) => now.sessions.running),
    gauge('sessions_limit', 'Executions that may run at the same time.', (now) => now.sessions.limit),
    counter('sessions_opened', 'Sessions that the gateway opened.', (now) => now.sessions.opened),
    counter('sessions_started', 'Sessions whose command was started.', (now) => now.sessions.started),
    counters('sessions_ended', 'Sessions that ended, by outcome.', 'outcome', ({ sessions }) => ({
      ...NO_OUTCOMES,
      ...sessions.outcomes,
    })),
    counters(
      'sessions_ended_by_agent',
      'Sessions that the agent ended, by reason.',
      'reason',
      (now) => now.sessions.reasons,
    ),
    counters(
      'guardrail_blocks',
      'Sessions that a guardrail rule has refused or stopped, by rule.',
      'rule',
      (now) => now.sessions.guardrails,
    ),
    counter(
      'closes_confirmed',
      'Ends of sessions that the gateway has accepted.',
      (now) => now.sessions.confirmed,
    ),
    counter(
      'closes_unconfirmed',
      'Ends of sessions that the gateway had not accepted when the stream was lost.',
      (now) => now.sessions.unconfirmed,
    ),
  ]
}

/** Metrics of output. They count only ended sessions, because a session reports its output at its end. */
function output(): Definition<Status>[] {
  return [
    counter('output_read_bytes', 'Bytes of output of ended sessions.', (now) => now.output.bytesRead),
    counter(
      'output_sent_bytes',
      'Bytes of output of ended sessions that were sent to the gateway.',
      (now) => now.output.bytesSent,
    ),
    counter(
      'output_left_out_bytes',
      'Bytes of output of ended sessions that the cap left out.',
      (now) => now.output.bytesLeftOut,
    ),
    counter(
      'output_redacted_bytes',
      'Bytes of secrets that were replaced in the output of ended sessions.',
      (now) => now.output.bytesRedacted,
    ),
    gauge(
      'output_tail_memory_bytes',
      'Memory for the ends of capped outputs.',
      (now) => now.output.tailBytes,
    ),
  ]
}

/** Reads ISO 8601. Prometheus counts from 1970. */
function seconds(iso: string): number {
  return Date.parse(iso) / 1000
}
