import { chmodSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loadAgentSettings } from '../../src/config.ts'
import { Workplace } from '../support/sites/workplace.ts'

function load(place: Workplace, yaml: string, env: Readonly<Record<string, string>> = {}) {
  const config = place.write('etc/agent.yaml', yaml)
  const HOOP_KEY = 'grpc://a:b@127.0.0.1:8010?mode=standard'
  return loadAgentSettings({ flags: { config }, env: { ...env, HOOP_KEY }, stderrIsTty: false })
}

const NONE = {
  inputRules: [],
  outputRules: [],
  programs: undefined,
  connections: undefined,
  origins: undefined,
}

it('there is no policy without a setting of it', () => {
  using place = new Workplace()
  expect(load(place, 'drain: 5s\n').policy).toBeUndefined()
})

it.each([
  ['a list', 'policy:\n  programs: [bash, /usr/bin/psql]\n'],
  ['a list of lines', 'policy.programs:\n  - bash\n  - "/usr/bin/psql"\n'],
  ['one text', 'policy.programs: bash, /usr/bin/psql\n'],
  ['a file', 'policy.programs: file://programs\n'],
])('a list of names is %s', (_, yaml) => {
  using place = new Workplace()
  place.write('etc/programs', 'bash\n/usr/bin/psql\n')
  expect(load(place, yaml).policy).toEqual({ ...NONE, programs: ['bash', '/usr/bin/psql'] })
})

it('a path in the file begins in its folder, one of a variable where the agent is started', () => {
  using place = new Workplace()
  expect(load(place, 'policy: { input-rules: [a.yaml, /b.yaml], output-rules: c.json }\n').policy).toEqual({
    ...{ ...NONE, inputRules: [place.at('etc/a.yaml'), '/b.yaml'], outputRules: [place.at('etc/c.json')] },
  })
  const env = { RUNBOOK_AGENT_POLICY_INPUT_RULES: 'd.yaml,e.yaml' }
  expect(load(place, 'policy.input-rules: a.yaml\n', env).policy?.inputRules).toEqual([
    `${process.cwd()}/d.yaml`,
    `${process.cwd()}/e.yaml`,
  ])
})

it.each([
  ['an empty list', 'policy.programs: []'],
  ['a name that is empty', 'policy.programs: "bash,,sh"'],
  ['a relative path', 'policy.programs: [bin/bash]'],
  ['a list in a list', 'policy.programs: [[bash]]'],
  ['a name with a comma, in a list', 'policy.programs: ["a,b"]'],
  ['a map', 'policy.programs: { a: b }'],
])('%s is refused', (_, yaml) => {
  using place = new Workplace()
  expect(() => load(place, yaml)).toThrow(
    /agent\.yaml:1:18 policy\.programs: programs, .* or a list of them is expected/,
  )
})

it('a file in which other users could change the policy is warned of', () => {
  using place = new Workplace()
  const file = place.write('etc/agent.yaml', 'policy.origins: client\n')
  chmodSync(file, 0o666)
  const env = { HOOP_KEY: 'grpc://a:b@127.0.0.1:8010?mode=standard' }
  const { warnings } = loadAgentSettings({ flags: { config: file }, env, stderrIsTty: false })
  expect(warnings).toContainEqual(expect.stringContaining('other users can write to the file'))
})
