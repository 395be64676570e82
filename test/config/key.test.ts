import { chmodSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SettingsError } from '../../src/basics/settings/problems.ts'
import { type AgentConfiguration, loadAgentSettings } from '../../src/config.ts'
import { Workplace } from '../support/sites/workplace.ts'

const KEY = 'grpc://local:xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE@127.0.0.1:8010?mode=standard'
const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzcGlmZmU6Ly90ZXN0In0.c2lnbmF0dXJl'

let place: Workplace
beforeEach(() => {
  place = new Workplace()
})
afterEach(() => {
  place[Symbol.dispose]()
})

function load(env: NodeJS.ProcessEnv, yaml = ''): AgentConfiguration {
  const settings = place.write('agent.yaml', yaml)
  return loadAgentSettings({ flags: {}, env: { RUNBOOK_AGENT_CONFIG: settings, ...env }, stderrIsTty: false })
}

function refusal(env: NodeJS.ProcessEnv, yaml = ''): string {
  try {
    load(env, yaml)
  } catch (error) {
    if (error instanceof SettingsError) return error.message.replaceAll(place.path, 'PLACE')
    throw error
  }
  throw new Error('the settings were taken')
}

describe('a JWT-SVID', () => {
  it('is read from its file, without the white space around it', () => {
    const file = place.write('agent.jwt', `${JWT}\n`)
    const { key, warnings } = load({
      HOOP_SPIFFE_KEY_FILE: file,
      HOOP_SPIFFE_NAME: 'edge-1',
      HOOP_GRPCURL: 'gateway.test:8443',
    })
    expect(key).toMatchObject({
      kind: 'svid',
      source: 'HOOP_SPIFFE_KEY_FILE',
      gateway: 'gateway.test:8443',
      gatewaySource: 'HOOP_GRPCURL',
      name: 'edge-1',
      plaintext: false,
    })
    expect([key.value.reveal(), warnings]).toEqual([JWT, []])
  })

  it('is named in the settings file as well, its path beside it', () => {
    place.write('agent.jwt', JWT)
    const yaml = 'spiffe: {key-file: agent.jwt, name: edge-1, insecure: true}\ngrpc-url: gateway.test:8443'
    expect(load({}, yaml).key).toMatchObject({ kind: 'svid', name: 'edge-1', plaintext: true })
  })

  it.each([
    ['127.0.0.1:8010', '', true],
    ['127.0.0.1:8443', '', false],
    ['grpc://127.0.0.1:8010', '', false],
    ['gateway.test:8443', 'false', false],
    ['gateway.test:8443', 'true', true],
  ])(
    'for %s with HOOP_GRPC_INSECURE=%s goes without TLS: %s',
    (HOOP_GRPCURL, HOOP_GRPC_INSECURE, plaintext) => {
      const HOOP_SPIFFE_KEY_FILE = place.write('agent.jwt', JWT)
      expect(load({ HOOP_SPIFFE_KEY_FILE, HOOP_GRPCURL, HOOP_GRPC_INSECURE }).key).toMatchObject({
        plaintext,
      })
    },
  )

  it('needs to know the gateway', () => {
    expect(refusal({ HOOP_SPIFFE_KEY_FILE: '/run/spiffe/agent.jwt' })).toBe(
      'HOOP_SPIFFE_KEY_FILE requires HOOP_GRPCURL to be set: the setting in the file is grpc-url',
    )
  })

  it.each([
    [undefined, 'failed reading HOOP_SPIFFE_KEY_FILE "PLACE/agent.jwt": the file does not exist'],
    [
      ' \n',
      'HOOP_SPIFFE_KEY_FILE "PLACE/agent.jwt" is empty: check that the SPIFFE agent has written the file',
    ],
    [
      'secret.word',
      'HOOP_SPIFFE_KEY_FILE "PLACE/agent.jwt" does not look like a JWT (expected three dot-separated segments): the file must contain one JWT-SVID and no other text',
    ],
    [
      `${JWT}\n${JWT}`,
      'HOOP_SPIFFE_KEY_FILE "PLACE/agent.jwt" does not look like a JWT (expected three dot-separated segments): the file must contain one JWT-SVID and no other text',
    ],
  ])('is refused when its file holds %j', (content, message) => {
    if (content !== undefined) place.write('agent.jwt', content)
    const env = { HOOP_SPIFFE_KEY_FILE: place.at('agent.jwt'), HOOP_GRPCURL: 'gateway.test:8443' }
    expect(refusal(env)).toBe(message)
  })

  it('instead of the path of its file is refused without being shown', () => {
    const message = refusal({ HOOP_SPIFFE_KEY_FILE: JWT, HOOP_GRPCURL: 'gateway.test:8443' })
    expect(message).toBe(
      'HOOP_SPIFFE_KEY_FILE spiffe.key-file: the path of a file that contains a JWT-SVID, not the SVID itself, is expected',
    )
  })
})

describe('a token of the old kind', () => {
  it.each([
    [{ TOKEN: 'x-agt-1', HOOP_TOKEN: 'x-agt-2' }, 'x-agt-1', 'TOKEN'],
    [{ TOKEN: '', HOOP_TOKEN: 'x-agt-2' }, 'x-agt-2', 'HOOP_TOKEN'],
    [{ RUNBOOK_AGENT_TOKEN: 'x-agt-3', TOKEN: 'x-agt-1' }, 'x-agt-3', 'RUNBOOK_AGENT_TOKEN'],
  ])('of %j is %s', (env, token, source) => {
    const { key, warnings } = load({ ...env, HOOP_GRPCURL: '127.0.0.1:8010' })
    expect(key).toMatchObject({ kind: 'token', source, gateway: '127.0.0.1:8010', plaintext: true })
    expect(key.value.reveal()).toBe(token)
    expect(warnings).toEqual([expect.stringContaining('can read the key there: prefer key-file')])
  })

  it('means nothing without an address: TOKEN may be for another program', () => {
    expect(refusal({ TOKEN: 'x-agt-1' })).toBe(
      'missing HOOP_KEY environment variable: set HOOP_KEY, or key-file',
    )
  })

  it('is one word', () => {
    expect(refusal({ TOKEN: 'x agt', HOOP_GRPCURL: 'h:1' })).toBe(
      'TOKEN: token must be one word of ASCII characters',
    )
  })
})

describe('several credentials', () => {
  it("a key wins, as in hoop's chart, which always names a file for an SVID", () => {
    const chart = {
      HOOP_SPIFFE_KEY_FILE: '/run/spiffe/agent.jwt',
      HOOP_SPIFFE_NAME: '',
      HOOP_GRPCURL: '',
      HOOP_GRPC_INSECURE: '',
      HOOP_TLS_SKIP_VERIFY: '',
    }
    expect(load({ ...chart, HOOP_KEY: KEY }).key).toMatchObject({ kind: 'key', source: 'HOOP_KEY' })
    expect(refusal({ ...chart, HOOP_KEY: '' })).toBe(
      'HOOP_SPIFFE_KEY_FILE requires HOOP_GRPCURL to be set: the setting in the file is grpc-url',
    )
  })

  it('each is taken when those before it are not there', () => {
    const HOOP_SPIFFE_KEY_FILE = place.write('agent.jwt', JWT)
    const token = { TOKEN: 'x-agt-1', HOOP_GRPCURL: 'gateway.test:8443' }
    const svid = { ...token, HOOP_SPIFFE_KEY_FILE }
    place.write('hoop-key', KEY)
    const credential = { ...svid, CREDENTIALS_DIRECTORY: place.path }
    const keyFile = { ...credential, RUNBOOK_AGENT_KEY_FILE: place.write('own-key', KEY) }
    expect([token, svid, credential, keyFile].map((env) => load(env).key.source)).toEqual([
      'TOKEN',
      'HOOP_SPIFFE_KEY_FILE',
      `key-file ${place.at('hoop-key')}`,
      `key-file ${place.at('own-key')}`,
    ])
  })

  it('none is shown', () => {
    const HOOP_SPIFFE_KEY_FILE = place.write('agent.jwt', JWT)
    const settings = load({ HOOP_SPIFFE_KEY_FILE, HOOP_GRPCURL: 'gateway.test:8443' })
    expect(`${inspect(settings, { depth: 9 })} ${JSON.stringify(settings)}`).not.toContain('eyJ')
  })

  it('one in a settings file that others may read is taken with a warning', () => {
    chmodSync(place.write('agent.yaml', ''), 0o644)
    const { warnings } = load({}, 'token: x-agt-1\ngrpc-url: h:1')
    expect(warnings).toEqual([
      `${place.at('agent.yaml')}:1:8: other users can read the key in ${place.at('agent.yaml')}: chmod 600 ${place.at('agent.yaml')}`,
    ])
  })
})
