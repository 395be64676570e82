import { oneLine } from '../../basics/text/printable.ts'
import { activityWords, type Status } from '../../operations/status.ts'
import { durationText, sizeText } from '../../basics/text/units.ts'

/** An agent for people: one line for each group of facts, with the names in a column. */
export function statusTable(status: Status): string {
  return lines(status)
    .map(([name, ...parts]) => `${name.padEnd(11)}${parts.filter((part) => part !== '').join(', ')}\n`)
    .join('')
}

function lines(status: Status): [string, ...string[]][] {
  const { connection, sessions, output } = status
  return [
    [
      'agent',
      oneLine(status.agent || 'unnamed'),
      `pid ${status.pid}`,
      `version ${oneLine(status.version)}`,
      `up ${durationText(status.uptimeSeconds)}`,
      `${status.engine} engine`,
    ],
    ['gateway', activityWords(status)],
    [
      'connection',
      `in this state since ${oneLine(connection.since)}`,
      `${connection.reconnects} reconnects`,
      health(status),
    ],
    [
      'sessions',
      `${sessions.running} running`,
      `limit ${sessions.limit}`,
      `${sessions.opened} opened`,
      tally(sessions.outcomes),
    ],
    [
      '',
      `ended by the agent: ${tally(sessions.reasons) || 'none'}`,
      `closes not confirmed: ${sessions.unconfirmed}`,
    ],
    ...outputLines(output),
    ['requests', `of the gateway itself: ${tally(status.systemRequests) || 'none'}`],
    ['leftovers', `${status.processesEnded} processes ended`],
    ['journal', `${status.journalLinesLost} lines lost`],
  ]
}

function outputLines(output: Status['output']): [string, ...string[]][] {
  return [
    [
      'output',
      `${sizeText(output.bytesRead)} read`,
      `${sizeText(output.bytesSent)} sent`,
      `${sizeText(output.bytesLeftOut)} left out`,
      `${sizeText(output.bytesRedacted)} redacted`,
    ],
    ['tails', `${sizeText(output.tailBytes)} in memory`],
  ]
}

function health({ connection: { health } }: Status): string {
  if (health === undefined) return 'no health check yet'
  return `last health check ${oneLine(health.at)} in ${Math.round(health.milliseconds)} ms`
}

function tally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${oneLine(name)}`)
    .join(', ')
}
