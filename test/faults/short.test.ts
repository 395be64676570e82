import { describe, expect, it } from 'vitest'
import { SmallDisk } from '../support/small-disk.ts'
import { DISK_FAULTS } from './faults.ts'
import { FAULT_KINDS, type FaultKind } from './plan.ts'
import { runRig } from './rig.ts'

// A few rounds of one plan; `npm run test:faults` goes on for as long as it is told.

const SEED = 11
/** Far more than two busy cores need. */
const LONGEST_MS = 400_000

async function faultsOf(kinds: readonly FaultKind[]): Promise<string[]> {
  const size = { jobs: 12, windowMs: 3000, faults: [5, 7], kinds } as const
  const plan: string[] = []
  const figures = await runRig({
    ...{ seed: SEED, size },
    goesOn: (next) => next === 1,
    say: (text) => plan.push(text),
  }).catch((error: unknown) => {
    throw new Error(`${plan.join('\n')}\n${String(error)}`, { cause: error })
  })
  expect(figures.endsChecked).toBeGreaterThan(0)
  return Object.keys(figures.faults)
}

describe('every promise holds', () => {
  it(
    'while processes are killed and stopped, lines break, clocks jump and repositories go',
    async () => {
      const kinds = FAULT_KINDS.filter((kind) => !DISK_FAULTS.includes(kind))
      expect((await faultsOf(kinds)).length).toBeGreaterThanOrEqual(5)
    },
    LONGEST_MS,
  )

  it.skipIf(!SmallDisk.permitted())(
    'while disks are full and read-only',
    async () => {
      expect((await faultsOf(DISK_FAULTS)).toSorted()).toEqual(DISK_FAULTS.toSorted())
    },
    LONGEST_MS,
  )
})
