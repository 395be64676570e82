import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { translate } from '../../support/machine/translate.ts'
import { Workplace } from '../../support/sites/workplace.ts'

/** What survives some collections, so that V8 wants a larger young generation. Then its size, both halves, in MiB. */
const script = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { fitYoungGeneration, keepYoungGenerationSmall } from './commands/start/young-generation.js'
  function sizeAfterLoad(running) {
    const kept = []
    for (let n = 0; n < 400_000; n++) {
      if (n % 500 === 0 && running !== undefined) fitYoungGeneration(running)
      kept.push({ n: [n] })
      if (kept.length > 40_000) kept.splice(0, 20_000)
    }
    return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20
  }
  if (process.argv[2] === 'kept') keepYoungGenerationSmall()
  console.log(JSON.stringify([sizeAfterLoad(), sizeAfterLoad(15), sizeAfterLoad(64), sizeAfterLoad(0)]))`

function sizes(flags: readonly string[], ...args: string[]): number[] {
  using place = new Workplace()
  translate(place.path, ['commands/start'])
  place.write('main.js', script)
  const words = [...flags, place.at('main.js'), ...args]
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: place.env, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as number[]
}

describe('the young generation of V8', () => {
  it('stays at 1 MiB, and grows by a step once many commands have run at once', () => {
    const [alone, few, many = 0, none] = sizes([], 'kept')
    expect([alone, few]).toEqual([2, 2])
    // V8 takes two steps now and then, and gives one back.
    expect([4, 8]).toContain(many)
    expect(none).toBeLessThanOrEqual(many)
  })

  it('grows beyond that where nothing is done about it, and where whoever starts the agent has chosen a size', () => {
    expect(sizes([])[0]).toBeGreaterThan(4)
    expect(sizes(['--max-semi-space-size=8'], 'kept')).toEqual([16, 16, 16, 16])
    expect(sizes(['--semi-space-growth-factor=3'], 'kept')[0]).toBeGreaterThan(4)
  })
})
