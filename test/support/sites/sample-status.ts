import type { Status } from '../../../src/operations/status.ts'

/** A status in which every number is another one. */
export function sampleStatus(
  connection: Partial<Status['connection']> = {},
  rest: Partial<Status> = {},
): Status {
  return {
    version: '1.2.3',
    pid: 4711,
    uptimeSeconds: 273_906.5,
    agent: 'local',
    gateway: '127.0.0.1:8010',
    engine: 'posix',
    connection: {
      state: 'serving',
      since: '2026-03-01T10:00:00.000Z',
      reason: undefined,
      reconnects: 11,
      health: { at: '2026-03-01T10:00:20.500Z', milliseconds: 12 },
      stall: undefined,
      ...connection,
    },
    sessions: {
      running: 2,
      limit: 100,
      opened: 41,
      started: 40,
      outcomes: { exited: 30, signaled: 3 },
      reasons: { timeout: 4, 'gateway-lost': 5 },
      guardrails: { 'input_rules[0].rules[1] deny_words_list: no drops': 3 },
      confirmed: 31,
      unconfirmed: 6,
    },
    output: {
      bytesRead: 5_000_000,
      bytesSent: 4_000_000,
      bytesLeftOut: 1_000_001,
      bytesRedacted: 77,
      tailBytes: 8192,
    },
    systemRequests: { exited: 21, refused: 13 },
    processesEnded: 9,
    journalLinesLost: 8,
    ordinarySecretNames: { pg: ['PLACE'] },
    ...rest,
  }
}
