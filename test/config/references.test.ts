import { chmodSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SettingsError } from '../../src/basics/settings/problems.ts'
import { type AgentConfiguration, loadAgentSettings } from '../../src/config.ts'
import { Workplace } from '../support/sites/workplace.ts'

const KEY = 'grpc://local:xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE@127.0.0.1:8010?mode=standard'

let place: Workplace
beforeEach(() => {
  place = new Workplace()
})
afterEach(() => {
  place[Symbol.dispose]()
})

function load(yaml: string, env: NodeJS.ProcessEnv = {}): AgentConfiguration {
  const RUNBOOK_AGENT_CONFIG = place.write('agent.yaml', yaml)
  chmodSync(RUNBOOK_AGENT_CONFIG, 0o644)
  return loadAgentSettings({ flags: {}, env: { RUNBOOK_AGENT_CONFIG, ...env }, stderrIsTty: false })
}

function refusal(yaml: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    load(yaml, env)
  } catch (error) {
    if (error instanceof SettingsError) return error.message.replaceAll(place.path, 'PLACE')
    throw error
  }
  throw new Error('the settings were taken')
}

describe('agent.yaml', () => {
  it('any value may be a file beside it, without its last line break, or a variable', () => {
    place.write('drain.txt', '7s\n')
    const settings = load('drain: file://drain.txt\noutput: { cap: env://CAP }\nkey: env://K', {
      ...{ CAP: '1MiB', K: KEY },
    })
    expect([settings.drainMs, settings.outputCapBytes]).toEqual([7000, 1024 ** 2])
    expect([settings.key.value.reveal(), settings.key.source]).toEqual([
      KEY,
      `${place.at('agent.yaml')}:3:6 key`,
    ])
    expect(settings.referencedVariables).toEqual(['CAP', 'K'])
  })

  it('a path that a reference stands for starts beside the file too', () => {
    place.write('agent.key', KEY)
    chmodSync(place.at('agent.key'), 0o600)
    expect(load('key-file: env://WHERE', { WHERE: 'agent.key' }).key.source).toBe(
      `key-file ${place.at('agent.key')}`,
    )
  })

  it('a value that a reference stands for is checked like one that is written there, and not shown', () => {
    place.write('secret', 'hunter2')
    expect(refusal(`drain: file://secret\nhttp: env://SECRET\nkey: ${KEY}`, { SECRET: 'hunter2' })).toBe(
      [
        'PLACE/agent.yaml:1:8 drain: a duration (500ms, 10s, 5m, 1h, 7d) from 0s to 24d is expected',
        'PLACE/agent.yaml:2:7 http: a port or host:port such as 127.0.0.1:9100 is expected',
      ].join('\n'),
    )
  })

  it('what cannot be read is said once, by its name', () => {
    expect(refusal('key: file://none\ntoken: env://NONE\ngrpc-url: h:1', { HOOP_KEY: '' })).toBe(
      'PLACE/agent.yaml:1:6 key: the file PLACE/none does not exist',
    )
    expect(refusal('token: env://NONE\ngrpc-url: h:1')).toContain(
      'PLACE/agent.yaml:1:8 token: the environment variable NONE is not set',
    )
  })

  it.each([
    [0o600, 0],
    [0o640, 1],
  ])('a key in a file of mode %o is warned of %i times, whoever may read agent.yaml', (mode, times) => {
    chmodSync(place.write('agent.key', KEY), mode)
    const { warnings } = load('key: file://agent.key')
    const warning = `${place.at('agent.yaml')}:1:6: other users can read the key in ${place.at('agent.key')}: chmod 600 ${place.at('agent.key')}`
    expect(warnings).toEqual(Array(times).fill(warning))
  })

  it('a key in a variable is warned of by the name of that variable', () => {
    expect(load('key: env://MY_KEY', { MY_KEY: KEY }).warnings).toEqual([
      expect.stringMatching(/^MY_KEY: .*prefer key-file$/),
    ])
  })

  it.each(['env://DRAIN', 'file://drain.txt'])('the text of a file is no reference again: %s', (content) => {
    place.write('drain.txt', content)
    expect(refusal(`drain: file://drain.txt\nkey: ${KEY}`, { DRAIN: '5s' })).toContain('drain: a duration')
  })

  it('aliases stand for their anchors, and ~ for no value', () => {
    expect(load(`key: ${KEY}\ndrain: &t 5s\nkill.grace: *t\nruntime-dir: ~`)).toMatchObject({
      ...{ drainMs: 5000, killGraceMs: 5000, runtimeDir: undefined },
    })
  })
})

it('a flag or a variable is no reference', () => {
  const env = { HOOP_KEY: KEY, RUNBOOK_AGENT_DRAIN: 'env://DRAIN', DRAIN: '5s' }
  expect(refusal('', env)).toContain('RUNBOOK_AGENT_DRAIN drain: a duration')
})
