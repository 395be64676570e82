import { expect, it } from 'vitest'
import { own } from '../../support/owned.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { Site } from '../../support/sites/site.ts'

const runbooks = { 'who.runbook.sh': 'echo "Ada has ada@example.com, badge B-1234"\n' }

it('a connection whose masking is bound by name answers masked, and keeps nothing else in the history', async () => {
  const presidio = own(await Presidio.start())
  const { analyzer, anonymizer } = { analyzer: presidio.analyzer.url, anonymizer: presidio.anonymizer.url }
  await using site = await Site.start({
    runbooks,
    masking: [
      { name: 'mail', entities: ['EMAIL_ADDRESS'], custom: [{ name: 'BADGE', regex: 'B-\\d+' }] },
      { name: 'people', provider: 'presidio', analyzer, anonymizer, entities: ['PERSON'] },
    ],
    connections: [
      { name: 'here', command: ['bash'], masking: ['mail'] },
      { name: 'there', command: ['bash'], masking: ['people'] },
    ],
  })
  const shown = await site.rest.send('GET', '/api/connections/here')
  expect(JSON.parse(shown.body)).toMatchObject({
    ...{ access_mode_exec: 'enabled', access_mode_connect: 'disabled' },
    access_mode_connect_reason: expect.stringContaining('masked') as string,
  })
  const here = await site.rest.runbook('here', 'who.runbook.sh', {})
  expect(here.body).toMatchObject({ output: 'Ada has <EMAIL_ADDRESS>, badge <BADGE>\n', exit_code: 0 })
  const recorded = await site.rest.send('GET', `/api/sessions/${here.body.session_id}`)
  expect(JSON.parse(recorded.body)).toMatchObject({
    metrics: {
      data_masking: {
        ...{ err_count: 0, info_types: { EMAIL_ADDRESS: 1, BADGE: 1 }, total_redact_count: 2 },
        transformed_bytes: 'ada@example.com'.length + 'B-1234'.length,
      },
      ...{ event_size: 39, truncated: false },
    },
  })
  const there = await site.rest.runbook('there', 'who.runbook.sh', {})
  expect(there.body).toMatchObject({ output: '<PERSON> has ada@example.com, badge B-1234\n', exit_code: 0 })

  presidio.analyzer.on('POST /analyze', json(500, { error: 'Ada' }))
  const failed = await site.rest.runbook('there', 'who.runbook.sh', {})
  expect(failed.body).toMatchObject({
    output: `the output must be masked (strict mode), but masking failed: Presidio's analyzer at ${analyzer} answered with status 500`,
    ...{ exit_code: 254, output_status: 'failed' },
  })
  expect(site.agent.stderr + site.gateway.stderr).not.toMatch(/Ada|ada@example/)
})
