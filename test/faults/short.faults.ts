import { describe, expect, it } from 'vitest'
import { SmallDisk } from '../support/machine/small-disk.ts'
import { DISK_FAULTS } from './faults.ts'
import { FAULT_KINDS, type FaultKind } from './plan.ts'
import { runRig } from './rig.ts'

// A round of one plan each, as a part of `.ci/run`; `npm run test:faults` goes on for as long as it is told.

/** One whose faults come one after the other: where all come at once, nothing runs to its end. */
const SEED = 17
/** Far more than two busy cores need. */
const LONGEST_MS = 400_000

async function faultsOf(kinds: readonly FaultKind[], rounds = 1): Promise<string[]> {
  const size = { jobs: 16, windowMs: 5000, faults: [kinds.length, kinds.length], kinds } as const
  const plan: string[] = []
  const figures = await runRig({
    ...{ seed: SEED, size },
    goesOn: (next) => next <= rounds,
    say: (text) => plan.push(text),
  }).catch((error: unknown) => {
    throw new Error(`${plan.join('\n')}\n${String(error)}`, { cause: error })
  })
  expect(figures.endsChecked).toBeGreaterThan(0)
  return Object.keys(figures.faults).toSorted()
}

const isOfProcesses = (kind: FaultKind): boolean => /^(kill|stop) /.test(kind)
const processes = FAULT_KINDS.filter(isOfProcesses)
const isElsewhere = (kind: FaultKind): boolean => isOfProcesses(kind) || DISK_FAULTS.includes(kind)
/** What takes a minute is for the long run. */
const surroundings = FAULT_KINDS.filter((kind) => !isElsewhere(kind) && !kind.startsWith('long '))

describe('every promise holds', () => {
  it(
    'while gateway, agents and clients are killed and stopped',
    async () => expect(await faultsOf(processes)).toEqual(processes.toSorted()),
    LONGEST_MS,
  )

  it(
    'while lines break, descriptors are few, clocks jump and repositories go',
    async () => expect(await faultsOf(surroundings)).toEqual(surroundings.toSorted()),
    LONGEST_MS,
  )

  it.skipIf(!SmallDisk.permitted())(
    'while disks are full and read-only',
    // On a busy machine the disk may be full for all of a round, and nothing runs to its end.
    async () => expect(await faultsOf(DISK_FAULTS, 2)).toEqual(DISK_FAULTS.toSorted()),
    LONGEST_MS,
  )
})
