import { defineConfig, mergeConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import usual from './vitest.config.ts'

const order = (process.env['MUTATION_ORDER'] ?? '').split(',')

/** Runs files in the order of `MUTATION_ORDER`: a run ends with the first test that fails. */
class GivenOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) =>
      order.findIndex((name) => moduleId.endsWith(`/${name}`))
    return Promise.resolve(files.toSorted((one, other) => placeOf(one) - placeOf(other)))
  }
}

export default mergeConfig(usual, defineConfig({ test: { sequence: { sequencer: GivenOrder } } }))
