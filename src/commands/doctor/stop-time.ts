import { errnoOf } from '../../basics/errors.ts'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { longestStopMs } from '../../agent/connection/timing.ts'
import type { AgentConfiguration } from '../../config.ts'
import { type Finding, ok, skipped, warning } from '../examination/examination.ts'
/** The unit in systemd/, which is examined when this process runs in no unit. */
const UNIT = 'runbook-agent.service'
const ASK_MS = 3000

/** Whether systemd gives the agent enough time to stop in an orderly way. */
export async function checkStopTime({
  drainMs,
  killGraceMs,
}: Pick<AgentConfiguration, 'drainMs' | 'killGraceMs'>): Promise<Finding> {
  const answer = await firstLoaded([
    ...ownUnit(),
    { name: UNIT, ofUser: false },
    { name: UNIT, ofUser: true },
  ])
  if (typeof answer === 'string') return skipped(answer)
  const neededMs = longestStopMs({ drainMs, killGraceMs })
  const found = `${answer.unit} has TimeoutStopSec=${answer.text}, stopping takes up to ${neededMs / 1000} s (drain, kill.grace twice and some)`
  if (milliseconds(answer.text) >= neededMs) return ok(found)
  return warning(
    found,
    `systemd would kill the agent before its commands end: set TimeoutStopSec=${Math.ceil(neededMs / 1000)}, or lower drain`,
  )
}

interface Unit {
  readonly name: string
  /** Whether it belongs to `systemctl --user`. */
  readonly ofUser: boolean
}

interface Timeout {
  readonly unit: string
  /** As systemd prints it. */
  readonly text: string
}

/** The stop time of the first unit that systemd knows. @returns the reason as a text when there is none */
async function firstLoaded(units: readonly Unit[]): Promise<Timeout | string> {
  let reason = ''
  for (const unit of units) {
    const answer = await show(unit)
    if (typeof answer !== 'string') return answer
    reason ||= answer
  }
  return reason
}

async function show({ name, ofUser }: Unit): Promise<Timeout | string> {
  const args = [...(ofUser ? ['--user'] : []), 'show', '--property=LoadState,TimeoutStopUSec', name]
  try {
    const { stdout } = await promisify(execFile)('systemctl', args, { timeout: ASK_MS })
    const [, state] = /^LoadState=(.*)$/m.exec(stdout) ?? []
    const [, text = ''] = /^TimeoutStopUSec=(.*)$/m.exec(stdout) ?? []
    return state === 'loaded' ? { unit: name, text } : `systemd knows no unit ${name}`
  } catch (error) {
    const isMissing = errnoOf(error) === 'ENOENT'
    return isMissing ? 'there is no systemctl' : 'no systemd answers'
  }
}

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** systemd prints `1min 30s`, and `infinity`. An unknown form counts as enough. */
export function milliseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)]
  const known = parts.every(([, , unit = '']) => unit in UNITS)
  if (parts.length === 0 || !known) return Infinity
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
}

/** The unit of this process, if any: `/system.slice/runbook-agent.service`, or below a user's `user@1000.service`. */
function ownUnit(): Unit[] {
  const units = [...ownGroups().matchAll(/\/([^/\n]+\.service)(?=\/|$)/gm)].map(([, name = '']) => name)
  const name = units.at(-1)
  if (name === undefined || name.startsWith('user@')) return []
  return [{ name, ofUser: units.length > 1 }]
}

function ownGroups(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8')
  } catch {
    return ''
  }
}
