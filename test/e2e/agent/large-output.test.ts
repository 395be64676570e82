import { expect, it } from 'vitest'
import { peakMemoryOf } from '../../support/machine/processes.ts'
import { Site } from '../../support/sites/site.ts'

const MEGABYTE = 1e6
const WRITTEN = 120 * MEGABYTE
const CAP = 10 * 1024 * 1024

const runbooks = {
  'large.runbook.sh': `echo HEAD; head -c {{ .bytes | required "bytes?" }} /dev/zero | tr '\\0' x; echo; echo TAIL`,
}

it('the last 64 KiB of an output are shown even when no memory is left for tails', async () => {
  const env = { RUNBOOK_AGENT_OUTPUT_CAP: '1MiB', RUNBOOK_AGENT_OUTPUT_TAIL_MEMORY: '0' }
  await using site = await Site.start({ runbooks, env })
  const { body } = await site.rest.runbook('bash', 'large.runbook.sh', { parameters: { bytes: '3000000' } })
  const [, head = '', omitted, tail = ''] =
    /^(HEAD\nx+)\n\[\.\.\. (\d+) bytes of output left out \.\.\.\]\n(x+\nTAIL\n)$/.exec(body.output) ?? []
  expect([body.truncated, tail.length]).toEqual([true, 64 * 1024])
  expect(head.length + Number(omitted) + tail.length).toBe(3_000_000 + 'HEAD\n\nTAIL\n'.length)
})

/** Tells at the end how large V8's young generation is, both halves. */
const REPORT = `import { getHeapSpaceStatistics } from 'node:v8'
  const isYoung = ({ space_name }) => space_name === 'new_space'
  process.on('exit', () => console.error('young: ' + getHeapSpaceStatistics().find(isYoung).space_size))`

it('120 MB of output through the REST interface are capped and said to be, and the agent never holds half of it, nor a large young generation', async () => {
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REPORT)}` }
  await using site = await Site.start({ runbooks, env })
  const idle = peakMemoryOf(site.agent.pid)
  const parameters = { bytes: String(WRITTEN) }
  const { status, body } = await site.rest.runbook('bash', 'large.runbook.sh', { parameters })
  expect([status, body.exit_code, body.output_status, body.truncated]).toEqual([200, 0, 'success', true])

  const [whole, head = '', omitted, tail = ''] =
    /^(HEAD\nx+)\n\[\.\.\. (\d+) bytes of output left out \.\.\.\]\n(x+\nTAIL\n)$/.exec(body.output) ?? []
  expect(whole).toBe(body.output)
  expect(head.length + tail.length).toBe(CAP)
  expect(head.length + tail.length + Number(omitted)).toBe(WRITTEN + 'HEAD\n\nTAIL\n'.length)

  const session = await site.rest.session(body.session_id)
  expect(session.truncated_bytes).toBe(Number(omitted))
  expect(session.event_stream).toEqual([body.output])
  // Node's own memory differs by 13 MB between its versions.
  expect(peakMemoryOf(site.agent.pid) - idle).toBeLessThan(WRITTEN / MEGABYTE / 2)

  await site.agent.stop()
  const [, young] = /^young: (\d+)$/m.exec(site.agent.stderr) ?? []
  // No flag of Node is needed. V8 has 8 MiB when the code is loaded, and would let it grow to 16 here.
  expect(Number(young)).toBeLessThanOrEqual(8 * 1024 * 1024)
})
