import { TIMING, type Timing } from '../../../src/agent/connection/timing.ts'

/** The agent's times divided by 50: a dead gateway is noticed within a second, the longest wait for it is 0.16 s. */
export const quickTiming: Timing = {
  firstPacket: 'within-dial',
  dialMs: TIMING.dialMs / 50,
  keepaliveMs: TIMING.keepaliveMs / 50,
  stallMs: TIMING.stallMs / 50,
  closeMs: TIMING.closeMs,
  healthEveryMs: TIMING.healthEveryMs / 50,
  healthDeadlineMs: TIMING.healthDeadlineMs / 50,
  healthyMs: TIMING.healthyMs / 50,
  lastSessionsMs: TIMING.lastSessionsMs / 50,
  renewalMs: TIMING.renewalMs / 50,
  pollEveryMs: TIMING.pollEveryMs / 50,
  conflictLogMs: TIMING.conflictLogMs,
  shipLogsMs: TIMING.shipLogsMs / 50,
  closesMs: TIMING.closesMs / 50,
  backoff: {
    lost: { shortestMs: 0, firstMs: 20, longestMs: 160 },
    conflict: { shortestMs: 60, firstMs: 160, longestMs: 160 },
    refused: { shortestMs: 600, firstMs: 1200, longestMs: 1200 },
  },
}
