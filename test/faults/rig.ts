import { inject, DISK_FAULTS } from './faults.ts'
import {
  leftByAll,
  leftDescriptors,
  leftFiles,
  leftProcesses,
  Ledger,
  openSessions,
  ownEnds,
  ranTwice,
  recordedEnds,
  secretsInProc,
  secretsShown,
} from './invariants.ts'
import { Load } from './load.ts'
import type { Reply } from './rest-client.ts'
import {
  AGENTS,
  describeRound,
  planRound,
  USUAL_SIZE,
  type FaultKind,
  type PlanSize,
  type Round,
} from './plan.ts'
import { descriptors, type Descriptors } from '../support/machine/proc.ts'
import { waitFor } from '../support/wait.ts'
import type { Process } from './process.ts'
import { Site } from './site.ts'

/** After so many rounds everything starts anew, with other secrets and an empty history. */
const ROUNDS_PER_SITE = 8
/** Longer than all bounds of one step together: what hangs longer hangs. */
const STEP_MS = 200_000
/** Between two looks at all processes of the machine. */
const LOOK_MS = 250

/** What a run of the rig has done. */
export interface Figures {
  rounds: number
  executions: number
  readonly faults: Partial<Record<FaultKind, number>>
  /** Ends that clients were told, each looked up in the history. */
  endsChecked: number
  /** Closes that agents had confirmed, likewise. */
  closesChecked: number
  readonly skipped: Set<string>
}

export interface RigOptions {
  readonly seed: number
  readonly size?: Partial<PlanSize>
  /** The first round; others than 1 replay a later one alone. */
  readonly from?: number
  /** Whether there is to be another round. */
  readonly goesOn: (next: number) => boolean
  readonly say: (text: string) => void
}

/** A round whose invariants did not hold, or that did not end. */
class RoundFailed extends Error {
  override readonly name = 'RoundFailed'
}

/** Rounds of load and faults, each checked; the plan follows from the seed. @throws RoundFailed */
export async function runRig(options: RigOptions): Promise<Figures> {
  const figures: Figures = {
    ...{ rounds: 0, executions: 0, faults: {}, endsChecked: 0, closesChecked: 0 },
    skipped: new Set(),
  }
  for (let next = options.from ?? 1; options.goesOn(next);) next = await runGeneration(options, next, figures)
  return figures
}

/** Rounds on one site. @returns the number of the next round */
async function runGeneration(options: RigOptions, first: number, figures: Figures): Promise<number> {
  const { seed, say } = options
  const size = { ...USUAL_SIZE, ...options.size }
  await using site = await bounded('the start', Site.start(seed, first))
  const ledger = new Ledger()
  let number = first
  for (; number < first + ROUNDS_PER_SITE && options.goesOn(number); number++) {
    const round = planRound(seed, number, size)
    say(describeRound(round))
    const violations = await runRound(site, round, ledger, figures).catch((error: unknown) => [String(error)])
    if (violations.length > 0) throw failed(options, number, violations, site)
    figures.rounds += 1
  }
  figures.endsChecked += ledger.ends.size
  figures.closesChecked += ledger.closes.size
  return number
}

function failed(
  { seed }: RigOptions,
  number: number,
  violations: readonly string[],
  site: Site,
): RoundFailed {
  return new RoundFailed(
    [
      `seed ${seed}, round ${number}: ${violations.length} violations`,
      ...violations.slice(0, 20).map((line) => `- ${line.slice(0, 800)}`),
      `logs and state: ${site.keep()}`,
      `again: npm run test:faults -- --seed ${seed} --from ${number} --rounds 1, or from its beginning without --from`,
    ].join('\n'),
  )
}

/** @returns what does not hold */
async function runRound(site: Site, round: Round, ledger: Ledger, figures: Figures): Promise<string[]> {
  site.note(describeRound(round))
  await bounded('the start', site.settle())
  const idle = await bounded('trying all connections', tryAll(site))
  if (idle.length > 0) return idle
  const before = new Map(
    site.slots.flatMap(({ process }) => (process ? [[process, descriptors(process.pid)]] : [])),
  )
  const shown = await bounded('load and faults', loadWithFaults(site, round, ledger, figures))
  await bounded('going on after the faults', site.settle())
  const left = await bounded('the end of all sessions', openSessions(site))
  const live = [
    ...left,
    ...(await bounded('looking for processes', leftProcesses(site))),
    ...(await bounded('looking for files', leftFiles(site))),
    ...(await bounded('looking for descriptors', heldDescriptors(before))),
    ...ownEnds(site),
  ]
  await bounded('the stop', site.stop())
  const history = recordedEnds(site, ledger)
  const here = ledger.outcomes.slice(-round.jobs.length)
  return [...shown, ...live, ...leftByAll(site), ...ranTwice(ledger), ...history, ...secretsShown(site, here)]
}

async function heldDescriptors(before: ReadonlyMap<Process, Descriptors>): Promise<string[]> {
  const held = await Promise.all([...before].map(([process, own]) => leftDescriptors(process, own)))
  return held.flat()
}

/** Also what a restart is good for: a script and a runbook on each agent. */
async function tryAll({ rest }: Site): Promise<string[]> {
  const tried = await Promise.all(
    AGENTS.flatMap((agent) => [
      rest.ask('POST', '/api/sessions', { connection: agent, script: 'exit 7' }),
      rest.ask('POST', `/api/plugins/runbooks/connections/${agent}/exec`, {
        file_name: 'job.runbook.sh',
        parameters: { job: 'exit 7' },
      }),
    ]),
  )
  const ended = await Promise.all(tried.map((reply) => atItsEnd(rest, reply)))
  return ended
    .filter(({ body }) => (body as { readonly exit_code?: number }).exit_code !== 7)
    .map(({ status, body }) => `nothing happens to it, and it fails: ${status} ${JSON.stringify(body)}`)
}

/** A busy machine takes longer than `limits.wait`: then the answer is a 202, and its session has the end. */
async function atItsEnd(rest: Site['rest'], reply: Reply): Promise<Reply> {
  if (reply.status !== 202) return reply
  const { session_id: sid } = reply.body as { readonly session_id: string }
  let session = reply
  await waitFor(async () => {
    session = await rest.ask('GET', `/api/sessions/${sid}`)
    return (session.body as { readonly status: string }).status === 'done'
  })
  return session
}

async function loadWithFaults(site: Site, round: Round, ledger: Ledger, figures: Figures): Promise<string[]> {
  const load = new Load(site, round.number, round.jobs)
  const shown = new Set<string>()
  const looking = setInterval(() => secretsInProc(site).forEach((line) => shown.add(line)), LOOK_MS)
  try {
    const faults = round.faults.filter((fault) => isPossible(site, fault.kind, figures))
    for (const { kind } of faults) figures.faults[kind] = (figures.faults[kind] ?? 0) + 1
    const injected = Promise.all(faults.map((fault) => inject({ site, load, fault })))
    const [outcomes] = await Promise.all([load.run(), injected])
    ledger.outcomes.push(...outcomes)
    figures.executions += outcomes.filter((outcome) => outcome.runs().length > 0).length
  } finally {
    clearInterval(looking)
    site.heal()
  }
  return [...shown]
}

function isPossible({ disks }: Site, kind: FaultKind, { skipped }: Figures): boolean {
  if (disks !== undefined || !DISK_FAULTS.includes(kind)) return true
  skipped.add(`${kind}: file systems cannot be mounted here`)
  return false
}

/** A step that does not end fails, by its name. */
async function bounded<T>(step: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${step} did not end within ${STEP_MS / 1000} s`)), STEP_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
