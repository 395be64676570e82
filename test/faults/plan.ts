import { Random } from './random.ts'

// What happens in a round, from the seed and the round's number alone. When something happens is in milliseconds from
// the beginning of the round's load.

export const AGENTS = ['a', 'b'] as const
export type AgentName = (typeof AGENTS)[number]

/** Runbook and ad-hoc script by REST; `exec` and `connect` of the built command line. */
const JOB_KINDS = ['script', 'runbook', 'exec', 'terminal'] as const
type JobKind = (typeof JOB_KINDS)[number]

/** What a command leaves running when it ends. */
const LEFTOVERS = ['nothing', 'background', 'setsid', 'double fork', 'deaf', 'bare'] as const
export type Leftover = (typeof LEFTOVERS)[number]

/** How a command prints its secrets. */
export type Print = 'nothing' | 'plain' | 'base64' | 'wrapped' | 'piped' | 'in pieces'

const PRINTS: readonly Print[] = ['nothing', 'plain', 'base64', 'wrapped', 'piped', 'in pieces']

export interface Job {
  readonly number: number
  readonly kind: JobKind
  readonly agent: AgentName
  readonly atMs: number
  /** How long its command sleeps. */
  readonly lastsMs: number
  readonly code: number
  readonly leaves: Leftover
  readonly prints: Print
  /** Lines of some 80 bytes. */
  readonly lines: number
  /** So long after its command has begun it is killed through the gateway. */
  readonly killedAfterMs: number | undefined
}

/** How often each strikes, against the others. */
const FAULTS = {
  'kill gateway': 3,
  'kill agent': 4,
  'kill client': 3,
  'stop gateway': 2,
  'stop agent': 2,
  'stop client': 2,
  'full disk of gateway': 2,
  'full disk of agent': 2,
  'read-only disk of gateway': 1,
  'read-only disk of agent': 1,
  'few descriptors for gateway': 2,
  'few descriptors for agent': 2,
  'partition of agent': 2,
  'partition of clients': 2,
  /** Until both sides have noticed, or nearly. */
  'long partition of agent': 1,
  'slow line': 2,
  'line cut in a packet': 3,
  'line reset': 2,
  'clock jump of gateway': 2,
  'clock jump of agent': 2,
  'repository rewritten': 2,
  'repository gone': 1,
  'repository replaced': 1,
  'mirror damaged': 2,
} as const
export type FaultKind = keyof typeof FAULTS
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[]

export interface Fault {
  readonly kind: FaultKind
  readonly agent: AgentName
  readonly atMs: number
  readonly forMs: number
  /** A number for what the kind leaves open: bytes, descriptors, days, one of the clients. */
  readonly amount: number
}

export interface Round {
  readonly number: number
  readonly jobs: readonly Job[]
  readonly faults: readonly Fault[]
}

export interface PlanSize {
  readonly jobs: number
  /** All jobs begin within it. */
  readonly windowMs: number
  /** How many of a round, at least and at most. */
  readonly faults: readonly [number, number]
  readonly kinds: readonly FaultKind[]
}

export const USUAL_SIZE: PlanSize = { jobs: 18, windowMs: 3500, faults: [1, 3], kinds: FAULT_KINDS }

export function planRound(seed: number, number: number, size: PlanSize = USUAL_SIZE): Round {
  const random = new Random(seed, number)
  const jobs = Array.from({ length: size.jobs }, (_, index) => planJob(random, index, size))
  const kinds = weighted(random, size)
  return { number, jobs, faults: kinds.map((kind) => planFault(random, kind, size)) }
}

function planJob(random: Random, number: number, { windowMs }: PlanSize): Job {
  const kind = random.one(JOB_KINDS)
  return {
    number,
    kind,
    agent: random.one(AGENTS),
    atMs: random.between(0, windowMs),
    // Longer than `limits.wait` now and then: a 202.
    lastsMs: random.happens(0.2) ? random.between(1500, 3000) : random.between(0, 600),
    code: random.one([0, 0, 3, 7, 42]),
    leaves: random.happens(0.5) ? random.one(LEFTOVERS) : 'nothing',
    prints: random.one(PRINTS),
    lines: random.happens(0.2) ? random.between(500, 5000) : random.between(0, 20),
    killedAfterMs: random.happens(0.12) ? random.between(0, 800) : undefined,
  }
}

function planFault(random: Random, kind: FaultKind, { windowMs }: PlanSize): Fault {
  return {
    kind,
    agent: random.one(AGENTS),
    atMs: random.between(100, windowMs),
    forMs: random.between(50, 1200),
    amount: random.between(0, 999),
  }
}

/** Different kinds, the frequent ones more often. */
function weighted(random: Random, { faults, kinds }: PlanSize): FaultKind[] {
  const lots = kinds.flatMap((kind) => Array.from({ length: FAULTS[kind] }, () => kind))
  const drawn = new Set(random.some(lots, lots.length))
  return [...drawn].slice(0, random.between(...faults))
}

/** One line for each thing that happens, in the order in which it does. */
export function describeRound({ number, jobs, faults }: Round): string {
  const kinds = JOB_KINDS.map((kind) => `${jobs.filter((job) => job.kind === kind).length} ${kind}`)
  const kills = jobs.filter(({ killedAfterMs }) => killedAfterMs !== undefined).length
  const lines = faults
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(
      ({ kind, agent, atMs, forMs, amount }) => `  ${atMs} ms: ${kind} (${agent}, ${amount}) for ${forMs} ms`,
    )
  return [`round ${number}: ${kinds.join(', ')}, ${kills} kills`, ...lines].join('\n')
}
