import { expect, it } from 'vitest'
import { FAULT_KINDS, type FaultKind } from './plan.ts'
import { runRig } from './rig.ts'

const seed = Number(process.env['FAULTS_SEED'])
const minutes = Number(process.env['FAULTS_MINUTES'])
const from = Number(process.env['FAULTS_FROM'])
const rounds = Number(process.env['FAULTS_ROUNDS'])
const only = (process.env['FAULTS_ONLY'] ?? '').split(',').filter(Boolean)
const kinds = only.length === 0 ? FAULT_KINDS : only.map(known)

function known(name: string): FaultKind {
  const kind = FAULT_KINDS.find((one) => one === name)
  if (kind === undefined) throw new Error(`there is no fault ${name}; there are: ${FAULT_KINDS.join(', ')}`)
  return kind
}

it(
  `keeps its promises for ${minutes} minutes of faults, seed ${seed}`,
  async () => {
    const end = performance.now() + minutes * 60_000
    const goesOn = (next: number): boolean => performance.now() < end && next < from + rounds
    const figures = await runRig({ seed, from, size: { kinds }, goesOn, say: console.log })
    console.log(figures)
    expect(figures.rounds).toBeGreaterThan(0)
  },
  (minutes + 15) * 60_000,
)
