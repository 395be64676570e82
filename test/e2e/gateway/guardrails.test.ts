import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { shell } from '../../support/terminals/shell.ts'
import { Site } from '../../support/sites/site.ts'

// Gateway, agent and command line of the built program, with rules in gateway.yaml.

const guardrails = [
  {
    name: 'drops',
    input: [{ type: 'deny_words_list', words: ['DROP TABLE'], message: 'ask the owner of the table' }],
  },
  { name: 'numbers', output: [{ type: 'pattern_match', pattern_regex: '[0-9]{3}-[0-9]{2}-[0-9]{4}' }] },
]
const LINE = 'Blocked by the following Hoop Guardrails Rules: '
const NUMBER = 'echo 123-45-$((6780 + 9)); exec sleep 1000'

const start = () =>
  Site.start({
    connections: [{ name: 'guarded', command: ['bash'], guardrails: ['drops', 'numbers'] }],
    guardrails,
  })

const session = async (site: Site, id: string) => {
  const { body } = await site.rest.send('GET', `/api/sessions/${id}?expand=event_stream&event_stream=utf8`)
  return JSON.parse(body) as Record<string, unknown>
}

/** The command line, with the account of the administrator. */
const cli = (site: Site, line: string) =>
  shell(site.place, line, {
    ...{ HOOP_APIURL: `http://${site.address}`, HOOP_GRPCURL: site.grpc, HOOP_TOKEN: site.token },
  })

test('a terminal that the agent would refuse for its rules is not offered, with the reason', async () => {
  await using site = await start()
  const { body } = await site.rest.send('GET', '/api/connections/guarded')
  expect(JSON.parse(body)).toMatchObject({
    access_mode_connect: 'disabled',
    access_mode_connect_reason: expect.stringContaining('guardrails') as string,
  })
})

test('a script that breaks a rule is answered as blocked, with the line of the agent, and recorded with the name', async () => {
  await using site = await start()
  const { status, body } = await site.rest.script('guarded', 'echo DROP TABLE t')
  expect([status, body]).toMatchObject([
    200,
    { output: `${LINE}ask the owner of the table\n`, output_status: 'blocked', exit_code: 254 },
  ])
  expect(await session(site, body.session_id)).toMatchObject({
    ...{ status: 'done', exit_code: 254 },
    guardrails_info: [
      {
        rule_name: 'drops',
        rule: { type: 'deny_words_list', words: ['DROP TABLE'] },
        direction: 'input',
        matched_words: ['DROP TABLE'],
        message: 'ask the owner of the table',
      },
    ],
    event_stream: [
      expect.stringContaining(
        'Blocked by the following Guardrails rule: ask the owner of the table, match guard rail [InputRules:drops] rule, type=deny_words_list, words=[DROP TABLE]',
      ) as string,
    ],
  })
})

test('an output that breaks a rule is answered as blocked, and nothing of the match is recorded', async () => {
  await using site = await start()
  const { body } = await site.rest.script('guarded', NUMBER)
  expect(body).toMatchObject({ output_status: 'blocked', exit_code: 254 })
  expect(body.output).toBe(`${LINE}output_rules[0].rules[0] pattern_match\n`)
  const recorded = await session(site, body.session_id)
  expect(recorded['guardrails_info']).toMatchObject([{ rule_name: 'numbers', direction: 'output' }])
  expect(JSON.stringify(recorded['event_stream'])).not.toContain('123-')
  const fine = await site.rest.script('guarded', 'echo fine')
  expect(fine.body).toMatchObject({ output: 'fine\n', output_status: 'success', exit_code: 0 })
  expect((await session(site, fine.body.session_id))['guardrails_info']).toBeNull()
})

test('a runbook is held to the rules as well; exec and run say it in words, and exit with 254', async () => {
  await using site = await start()
  site.books.commit({ 'drop.runbook.sh': 'echo DROP TABLE {{ .name }}' })
  const { body } = await site.rest.runbook('guarded', 'drop.runbook.sh', { parameters: { name: 't' } })
  expect(body).toMatchObject({ output_status: 'blocked', exit_code: 254 })
  const exec = await cli(site, `runbook-agent exec guarded -i 'echo DROP TABLE t'`)
  expect([exec.code, exec.stdout]).toEqual([254, ''])
  expect(exec.stderr).toBe(
    `${LINE}ask the owner of the table\nrunbook-agent: a guardrail rule of guarded stopped the session\n`,
  )
  const run = await cli(site, 'runbook-agent run guarded drop.runbook.sh -p name=t')
  expect([run.code, run.stdout]).toEqual([254, `${LINE}ask the owner of the table\n`])
  expect(run.stderr).toBe('runbook-agent: a guardrail rule of guarded stopped the session\n')
})

test('no log and no journal has the script, or what was found in an output', async () => {
  await using site = await start()
  await site.rest.script('guarded', `: secret-of-a-script; echo DROP TABLE; ${NUMBER}`)
  await site.rest.script('guarded', NUMBER)
  const journal = readFileSync(site.place.at('agent-state', 'journal.jsonl'), 'utf8')
  expect(journal).toContain('"guardrail":"input_rules[0].rules[0] deny_words_list"')
  const written = [journal, site.agent.stderr, site.gateway.stderr].join('\n')
  expect(written).toContain('a guardrail rule was broken')
  expect(written).not.toMatch(/secret-of-a-script|6789/)
})
