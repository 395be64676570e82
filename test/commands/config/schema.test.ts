import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import * as v from 'valibot'
import { parse } from 'yaml'
import { gatewayYaml } from '../../../src/commands/dev/first-settings.ts'
import { OF_GATEWAY } from '../../../src/commands/config.ts'
import { settings } from '../../../src/config/table.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const KINDS = ['agent', 'gateway'] as const
type Kind = (typeof KINDS)[number]

describe.each(KINDS)('schemas/%s.schema.json', (kind) => {
  it('is what the program prints (else: npm run schemas)', async () => {
    using place = new Workplace()
    const { code, stdout, stderr } = await runProgram(place, ['config', 'schema', kind])
    expect([code, stderr]).toEqual([0, ''])
    expect(read(`schemas/${kind}.schema.json`)).toBe(stdout)
  })

  it('accepts the settings of the docs', () => {
    const [, section = ''] = read('docs/settings.md').split(`\n## ${kind}.yaml\n`)
    const [, yaml = ''] = /^```yaml\n([^]*?)^```/m.exec(section) ?? []
    expect(parse(yaml)).toBeInstanceOf(Object)
    expect(problems(kind, yaml)).toEqual([])
  })

  it('has a text for each setting, for whoever points at it', () => {
    expect(withoutDescription(JSON.parse(read(`schemas/${kind}.schema.json`)) as Schema, '')).toEqual([])
  })
})

describe('the schema of a gateway', () => {
  it('has the names by which the product of the agent knows the settings of a gateway', () => {
    const { properties = {} } = JSON.parse(read('schemas/gateway.schema.json')) as Schema
    expect(Object.keys(properties).toSorted()).toEqual([...OF_GATEWAY].toSorted())
  })

  it.each([
    ['the settings that dev makes', gatewayYaml({ hasPostgres: true })],
    ['an empty file', '# nothing\n'],
    ['groups and values left empty', 'listen:\nlimits: { wait: }\nusers:\n'],
    [
      'references in place of any value',
      'listen: { allow-remote: env://REMOTE }\nlimits: { wait: file://wait }\n',
    ],
    [
      'a scalar that an editor takes for a number',
      'history: { size: 64MiB }\nagents: [{ name: 7, key: 1 }]\n',
    ],
  ])('accepts %s', (_, yaml) => {
    expect(problems('gateway', yaml)).toEqual([])
  })

  it.each([
    ['an unknown setting', 'lisen: {}\n', 'must NOT have additional properties'],
    ['a missing one', 'agents: [{ name: local }]\n', "/agents/0 must have required property 'key'"],
    ['a duration that is none', 'limits: { wait: 5x }\n', '/limits/wait must match pattern'],
    ['a text in place of a list', 'connections: bash\n', '/connections must be array,null'],
    ['a variable that cannot be one', connection('env: { "A-B": x }'), '/connections/0/env must match'],
    [
      'another word',
      connection('access: { client-escapes: never }'),
      '/client-escapes must be equal to one of',
    ],
  ])('refuses %s', (_, yaml, problem) => {
    expect(problems('gateway', yaml)).toContainEqual(expect.stringContaining(problem))
  })
})

describe('the schema of the agent', () => {
  const texts = [
    ...[
      '0',
      '1',
      '20',
      '999999',
      '10MiB',
      '100B',
      '5m',
      '500ms',
      'true',
      'false',
      'on',
      'OFF',
      'Info',
      'json',
    ],
    ...[
      'kill',
      'Leave',
      'finish',
      'a b',
      '/var/lib/x',
      'CUSTOMER_*,!APP_*',
      'a, b',
      '9100',
      '127.0.0.1:9100',
      'http://127.0.0.1:5002',
      'mask',
      'ipv6',
    ],
    ...[
      '"[::1]:80"',
      'file://ca.pem',
      'base64://AAAA',
      'gateway.example',
      'grpc://a:b@c:1',
      '1e3',
      '0x10',
      '~',
    ],
  ]

  it.each(settings)('accepts of $name all that the agent accepts', ({ name, kind }) => {
    const accepted = texts.filter((text) => v.safeParse(kind, text.replaceAll('"', '')).success)
    expect(accepted.length).toBeGreaterThan(0)
    const [group = '', member] = name.split('.')
    for (const text of [...accepted, '']) {
      expect(problems('agent', `${name}: ${text}\n`), text).toEqual([])
      if (member !== undefined)
        expect(problems('agent', `${group}:\n  ${member}: ${text}\n`), text).toEqual([])
    }
  })

  it('accepts lists of names, which the agent takes as well', () => {
    expect(problems('agent', 'policy: { programs: [bash], origins: [client, hook] }\n')).toEqual([])
    expect(problems('agent', 'policy: { programs: [] }\n')).not.toEqual([])
  })

  it.each([
    ['an unknown setting', 'drian: 5s\n', 'must NOT have additional properties'],
    ['an unknown member', 'log: { lvel: info }\n', '/log must NOT have additional properties'],
    ['a duration that is none', 'drain: soon\n', '/drain must match pattern'],
    ['a number without its unit', 'output: { cap: 10 }\n', '/output/cap must be <= 0'],
    ['another word', 'background: stay\n', '/background must be equal to one of'],
    ['a key where its file belongs', 'key-file: grpc://a:b@c:1\n', '/key-file must match pattern'],
    ['a count that is none', 'limits.sessions: 0\n', '/limits.sessions must be >= 1'],
  ])('refuses %s', (_, yaml, problem) => {
    expect(problems('agent', yaml)).toContainEqual(expect.stringContaining(problem))
  })
})

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
const validators = new Map(
  KINDS.map((kind) => [kind, ajv.compile(JSON.parse(read(`schemas/${kind}.schema.json`)) as object)]),
)

/** As an editor has them: it reads YAML 1.2, in which `5` is a number. */
function problems(kind: Kind, yaml: string): string[] {
  const validate = validators.get(kind)
  if (validate === undefined) throw new Error(`no schema of ${kind}`)
  validate(parse(yaml))
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`)
}

function connection(more: string): string {
  return `connections: [{ name: bash, agent: local, command: [bash], ${more} }]\n`
}

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/** The agent's groups have none: their members do. */
function withoutDescription({ description, properties, items }: Schema, path: string): string[] {
  const inside = [
    ...Object.entries(properties ?? {}),
    ...(items === undefined ? [] : [['[]', items] as const]),
  ]
  const missing = inside.flatMap(([name, schema]) => withoutDescription(schema, `${path}/${name}`))
  const isGroup = properties !== undefined
  return description === undefined && !isGroup && path !== '' ? [path, ...missing] : missing
}

function read(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
}
