import { expect, it } from 'vitest'
import { descriptorsOf, peakMemoryOf } from '../support/machine/processes.ts'
import { Site } from '../support/sites/site.ts'

it('100 executions that write 100 MB each at once keep head and tail and stay within the memory for tails', async () => {
  await using site = await Site.start({ limits: { wait: '600s' } })
  const idle = peakMemoryOf(site.agent.pid)
  const before = descriptorsOf(site.agent.pid)
  const script =
    'echo HEAD $HOOP_SESSION_ID; head -c 100000000 /dev/zero | tr "\\0" x; echo; echo TAIL $HOOP_SESSION_ID'
  const replies = await Promise.all(Array.from({ length: 100 }, () => site.rest.script('bash', script, {})))
  for (const { body } of replies) {
    const { session_id: sid, output } = body
    expect(body.exit_code).toBe(0)
    expect(body.truncated).toBe(true)
    expect(output.startsWith(`HEAD ${sid}\n`)).toBe(true)
    expect(output.endsWith(`\nTAIL ${sid}\n`)).toBe(true)
    // The head's share of 10 MiB, and what every tail has.
    expect(output.length).toBeGreaterThanOrEqual(2 * 1024 * 1024 + 64 * 1024)
  }
  const peak = peakMemoryOf(site.agent.pid)
  console.log('100 x 100 MB', { idle, peak, descriptors: descriptorsOf(site.agent.pid) - before })
  // The tails' 64 MiB and 64 KiB for each, a pair of pipes' buffers for each, packets on their way, and what the allocator keeps.
  expect(peak - idle).toBeLessThan(250)
  expect(descriptorsOf(site.agent.pid)).toBeLessThanOrEqual(before + 2)
})
