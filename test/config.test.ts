import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SettingsError } from '../src/basics/settings/problems.ts'
import { agentOptions } from '../src/commands/program/agent.ts'
import { type AgentConfiguration, loadAgentSettings } from '../src/config.ts'
import { sessionsOn, thisMachine } from '../src/config/session-limit.ts'

const KEY = 'grpc://local:xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE@127.0.0.1:8010?mode=standard'
let root: string
let file: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'config-test-'))
  file = join(root, 'agent.yaml')
  await writeFile(file, '', { mode: 0o600 })
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

interface Given {
  readonly flags?: Readonly<Record<string, string | boolean | undefined>>
  readonly env?: NodeJS.ProcessEnv
  readonly yaml?: string
  readonly stderrIsTty?: boolean
}

/** Always with a settings file of the test's own, so that one in /etc is not read. */
async function load({
  flags = {},
  env = {},
  yaml = '',
  stderrIsTty = false,
}: Given): Promise<AgentConfiguration> {
  await writeFile(file, yaml)
  return loadAgentSettings({ flags, env: { RUNBOOK_AGENT_CONFIG: file, ...env }, stderrIsTty })
}

async function refusal(given: Given): Promise<string> {
  const error: unknown = await load(given).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(SettingsError)
  return (error as SettingsError).message.replaceAll(file, 'FILE').replaceAll(root, 'ROOT')
}

async function keyIn(path: string, mode = 0o600, text = KEY): Promise<string> {
  await writeFile(join(root, path), text)
  await chmod(join(root, path), mode)
  return join(root, path)
}

test('everything but the key has a default', async () => {
  expect(await load({ env: { HOOP_KEY: KEY } })).toMatchObject({
    allowPlaintext: false,
    tls: { authorities: undefined, serverName: undefined, skipVerify: false, client: undefined },
    proxy: undefined,
    onDisconnect: 'terminate',
    logLevel: 'info',
    logEncoding: 'json',
    runtimeDir: undefined,
    limitsSessions: sessionsOn(thisMachine()),
    outputCapBytes: 10 * 1024 * 1024,
    killGraceMs: 10_000,
    maxDurationMs: undefined,
    drainMs: 60_000,
    stateDir: expect.stringMatching(/runbook-agent$/) as string,
    journalBytes: 16 * 1024 * 1024,
    ...{ onCap: 'continue', tailMemoryBytes: 64 * 1024 * 1024, background: 'kill' },
    ...{ redact: 'on', redactNames: [], http: undefined },
    ...{ limitsMemoryBytes: undefined, limitsProcesses: undefined },
    ...{ presidio: undefined, maskingForm: 'tag', maskingRefine: [] },
  })
})

test('the defaults that the flags tell of are the defaults', async () => {
  const flags = agentOptions.flatMap((option) => {
    const [, value] = /\(default: (\w+)\)$/.exec(option.description) ?? []
    // These words say that there is none.
    const isNone = value === undefined || ['all', 'none'].includes(value)
    return isNone ? [] : [[option.attributeName(), value] as const]
  })
  expect(flags.map(([option]) => option)).toEqual([
    'logLevel',
    'journalSize',
    'limitsSessions',
    'outputCap',
    'outputOnCap',
    'outputTailMemory',
    'redact',
    'maskingForm',
    'killGrace',
    'background',
    'onDisconnect',
    'drain',
  ])
  const env = { HOOP_KEY: KEY }
  expect(await load({ env, flags: Object.fromEntries(flags) })).toEqual(await load({ env }))
})

describe('a Presidio of the agent', () => {
  const MSPRESIDIO_ANALYZER_URL = 'http://127.0.0.1:5002'
  const MSPRESIDIO_ANONYMIZER_URL = 'https://presidio.example/anonymizer/'
  const both = { HOOP_KEY: KEY, MSPRESIDIO_ANALYZER_URL, MSPRESIDIO_ANONYMIZER_URL }
  const addresses = { analyzer: MSPRESIDIO_ANALYZER_URL, anonymizer: MSPRESIDIO_ANONYMIZER_URL }

  test.each([
    ['strict', 'strict', []],
    ['best-effort', 'best-effort', []],
    ['', 'best-effort', ['DLP_MODE unknown value (""), fallback to best-effort']],
    ['x', 'best-effort', ['DLP_MODE unknown value ("x"), fallback to best-effort']],
  ])('has the mode of DLP_MODE, %j', async (DLP_MODE, mode, warnings) => {
    const { presidio, warnings: found } = await load({ env: { ...both, DLP_MODE } })
    expect(presidio).toEqual({ ...addresses, mode })
    expect(found.filter((warning) => warning.includes('DLP_MODE'))).toEqual(warnings)
  })

  test('counts with both addresses only, and an address alone is warned of', async () => {
    const { presidio, warnings } = await load({
      env: { ...both, MSPRESIDIO_ANALYZER_URL: '', DLP_MODE: 'strict' },
    })
    expect(presidio).toBeUndefined()
    expect(warnings).toContain(
      'MSPRESIDIO_ANONYMIZER_URL: not used, because masking.analyzer and masking.anonymizer have an effect only together',
    )
  })

  test('with an address that is none is refused, without quoting it', async () => {
    const message = await refusal({ env: { ...both, MSPRESIDIO_ANALYZER_URL: 'presidio:secret@host' } })
    expect(message).toContain('an address that begins with http:// or https:// is expected')
    expect(message).not.toContain('secret')
  })
})

test('how the local engine masks is set by form and refinements', async () => {
  const yaml = 'masking.form: mask\nmasking.refine: ssn, ipv6'
  expect(await load({ env: { HOOP_KEY: KEY }, yaml })).toMatchObject({
    maskingForm: 'mask',
    maskingRefine: ['ipv6', 'ssn'],
  })
  expect(await refusal({ env: { HOOP_KEY: KEY }, yaml: 'masking.refine: everything' })).toContain(
    'ipv6, ssn or both',
  )
})

describe('precedence', () => {
  const yaml = 'log.level: error'
  const alias = { HOOP_KEY: KEY, LOG_LEVEL: 'warn' }
  const own = { ...alias, RUNBOOK_AGENT_LOG_LEVEL: 'info' }

  test.each<[string, Given, string]>([
    ['a flag over the environment', { yaml, env: own, flags: { logLevel: 'debug' } }, 'debug'],
    ["the agent's variable over hoop's", { yaml, env: own }, 'info'],
    ["hoop's variable over the file", { yaml, env: alias }, 'warn'],
    ['the file over the default', { yaml, env: { HOOP_KEY: KEY } }, 'error'],
    [
      'what is set over empty variables',
      { yaml, env: { ...own, LOG_LEVEL: '', RUNBOOK_AGENT_LOG_LEVEL: '' } },
      'error',
    ],
  ])('takes %s', async (_, given, level) => {
    expect((await load(given)).logLevel).toBe(level)
  })

  test('does not look at a wrong variable that a flag wins over', async () => {
    const env = { HOOP_KEY: KEY, LOG_LEVEL: 'loud' }
    expect((await load({ env, flags: { logLevel: 'warn' } })).logLevel).toBe('warn')
  })

  test('refuses a wrong value in the file even when a flag wins over it', async () => {
    const given = { env: { HOOP_KEY: KEY }, flags: { drain: '1s' }, yaml: 'drain: soon' }
    expect(await refusal(given)).toBe(
      'FILE:1:8 drain: a duration (500ms, 10s, 5m, 1h, 7d) from 0s to 24d is expected',
    )
  })

  test('--config wins over its variable', async () => {
    const other = join(root, 'other.yaml')
    await writeFile(other, 'drain: 7s')
    const given = { env: { HOOP_KEY: KEY }, flags: { config: other }, yaml: 'drain: 1s' }
    expect((await load(given)).drainMs).toBe(7000)
  })
})

describe('the loader of settings', () => {
  test('takes rules for names, and refuses what is none', async () => {
    const env = { HOOP_KEY: KEY }
    expect((await load({ env, yaml: 'redact.names: "!APP_*, CUSTOMER_ID"' })).redactNames).toEqual([
      '!APP_*',
      'CUSTOMER_ID',
    ])
    expect(await refusal({ env, yaml: 'redact.names: "A B"' })).toContain('redact.names: names of variables')
  })

  test('takes a port of the loopback, or an address, for http', async () => {
    const env = { HOOP_KEY: KEY }
    expect((await load({ env, flags: { http: '9100' } })).http).toEqual({ host: '127.0.0.1', port: 9100 })
    expect(await refusal({ env, flags: { http: ':9100' } })).toContain('--http http: a port or host:port')
  })

  test.each([
    ['TRACE', 'debug'],
    ['debug', 'debug'],
    ['Info', 'info'],
    ['WARN', 'warn'],
    ['error', 'error'],
  ])('takes LOG_LEVEL=%s for %s', async (text, level) => {
    expect((await load({ env: { HOOP_KEY: KEY, LOG_LEVEL: text } })).logLevel).toBe(level)
  })

  test.each([
    ['json', 'json'],
    ['human', 'human'],
    ['console', 'human'],
    ['verbose', 'human'],
  ])('takes LOG_ENCODING=%s for %s', async (text, encoding) => {
    expect((await load({ env: { HOOP_KEY: KEY, LOG_ENCODING: text } })).logEncoding).toBe(encoding)
  })

  test.each([
    [true, {}, 'human'],
    [true, { NO_COLOR: '' }, 'human'],
    [true, { NO_COLOR: '1' }, 'json'],
    [true, { LOG_ENCODING: 'json' }, 'json'],
    [false, {}, 'json'],
  ])('with a terminal: %s and %j logs %s', async (stderrIsTty, env, encoding) => {
    expect((await load({ stderrIsTty, env: { HOOP_KEY: KEY, ...env } })).logEncoding).toBe(encoding)
  })

  test('takes an output cap of 0 and a switch that is turned off again', async () => {
    const given = {
      env: { HOOP_KEY: KEY, RUNBOOK_AGENT_ALLOW_PLAINTEXT: 'false' },
      flags: { outputCap: '0' },
    }
    const settings = await load({ ...given, yaml: 'allow-plaintext: true' })
    expect(settings).toMatchObject({ allowPlaintext: false, outputCapBytes: 0 })
  })

  test.each<[Given, string]>([
    [{ env: { LOG_LEVEL: 'loud' } }, 'LOG_LEVEL log.level: debug, trace, info, warn or error is expected'],
    [
      { env: { LOG_ENCODING: 'constructor' } },
      'LOG_ENCODING log.encoding: json, human, console or verbose is expected',
    ],
    [
      { flags: { outputCap: '10MB' } },
      '--output-cap output.cap: a size (0, 100B, 512KiB, 20MiB) is expected',
    ],
    [
      { flags: { limitsSessions: '0' } },
      '--limits-sessions limits.sessions: a whole number from 1 to 999999 is expected',
    ],
    [
      { env: { RUNBOOK_AGENT_ALLOW_PLAINTEXT: 'yes' } },
      'RUNBOOK_AGENT_ALLOW_PLAINTEXT allow-plaintext: true or false is expected',
    ],
    [{ flags: { runtimeDir: '' } }, '--runtime-dir runtime-dir: the path of a folder is expected'],
  ])('refuses %j', async (given, message) => {
    expect(await refusal({ ...given, env: { HOOP_KEY: KEY, ...given.env } })).toBe(message)
  })

  test('reports everything that is wrong together, one line each', async () => {
    const given = {
      flags: { drain: '1y' },
      env: { LOG_LEVEL: 'loud' },
      yaml: 'output: {cpa: 1MiB}\nkey: [a]',
    }
    expect((await refusal(given)).split('\n')).toEqual([
      'FILE:1:10 output.cpa: unknown setting, did you mean output.cap?',
      'FILE:2:6 key: a string is expected, but this is a list',
      'LOG_LEVEL log.level: debug, trace, info, warn or error is expected',
      '--drain drain: a duration (500ms, 10s, 5m, 1h, 7d) from 0s to 24d is expected',
    ])
  })
})

describe('the key', () => {
  test('is refused to be missing, with what to do', async () => {
    const missing = 'missing HOOP_KEY environment variable: set HOOP_KEY, or key-file'
    expect(await refusal({})).toBe(missing)
    expect(await refusal({ env: { HOOP_KEY: '', HOOP_DSN: '', CREDENTIALS_DIRECTORY: root } })).toBe(missing)
  })

  test('is not called missing when the file that may hold it cannot be read', async () => {
    expect(await refusal({ yaml: 'key: "grpc://' })).toMatch(
      /^FILE:1:\d+: a ":", a quote or a closing bracket is missing/,
    )
    expect(await refusal({ flags: { config: '/nonexistent/agent.yaml' } })).toBe(
      '--config: the file /nonexistent/agent.yaml does not exist',
    )
  })

  test('comes from HOOP_KEY with advice, and from HOOP_DSN with the news that it is deprecated', async () => {
    const both = await load({ env: { HOOP_KEY: KEY, HOOP_DSN: 'grpc://other' } })
    expect([both.key.value.reveal(), both.key.source]).toEqual([KEY, 'HOOP_KEY'])
    expect(both.warnings).toEqual([expect.stringMatching(/^HOOP_KEY: .*prefer key-file$/)])

    const old = await load({ env: { HOOP_DSN: KEY } })
    expect([old.key.value.reveal(), old.key.source]).toEqual([KEY, 'HOOP_DSN (deprecated)'])
    expect(old.warnings).toEqual([
      'HOOP_DSN is deprecated: use HOOP_KEY or key-file',
      expect.stringMatching(/^HOOP_DSN: .*prefer key-file$/),
    ])
  })

  test('comes from a key-file without the white space around it', async () => {
    const path = await keyIn('key', 0o600, `\n ${KEY}\r\n`)
    const { key, warnings } = await load({ flags: { keyFile: path } })
    expect([key.value.reveal(), key.source, warnings]).toEqual([KEY, `key-file ${path}`, []])
  })

  test('comes from a key-file beside the settings file that names it', async () => {
    await keyIn('agent.key')
    expect((await load({ yaml: 'key-file: agent.key' })).key.value.reveal()).toBe(KEY)
  })

  test("comes from systemd's credential when nothing else is given, whose group rights are an ACL", async () => {
    await keyIn('hoop-key', 0o440)
    const env = { CREDENTIALS_DIRECTORY: root }
    expect(await load({ env })).toMatchObject({ key: { source: `key-file ${root}/hoop-key` }, warnings: [] })
    expect((await load({ env: { ...env, HOOP_KEY: KEY } })).key.source).toBe('HOOP_KEY')
    expect((await load({ env, yaml: `key: ${KEY}` })).key.source).toBe(`${file}:1:6 key`)
    expect((await load({ env, flags: { keyFile: join(root, 'hoop-key') } })).warnings).toEqual([])
  })

  test('is taken from where it is given more strongly, key or key-file', async () => {
    const path = await keyIn('key')
    expect(
      (await load({ env: { HOOP_KEY: 'grpc://other' }, flags: { keyFile: path } })).key.value.reveal(),
    ).toBe(KEY)
    expect((await load({ env: { HOOP_KEY: KEY }, yaml: 'key-file: /nonexistent' })).key.source).toBe(
      'HOOP_KEY',
    )
    const env = { HOOP_KEY: KEY, RUNBOOK_AGENT_KEY_FILE: path }
    expect((await load({ env })).key.source).toBe(`key-file ${path}`)
  })

  test('is refused when key and key-file are given in the same place', async () => {
    expect(await refusal({ yaml: `key: ${KEY}\nkey-file: a` })).toBe(
      'FILE:2:11: key (FILE:1:6) and key-file are both given: remove one of them',
    )
    expect(await refusal({ env: { RUNBOOK_AGENT_KEY: KEY, RUNBOOK_AGENT_KEY_FILE: 'a' } })).toBe(
      'RUNBOOK_AGENT_KEY_FILE: key (RUNBOOK_AGENT_KEY) and key-file are both given: remove one of them',
    )
  })

  test.each([0o640, 0o604, 0o644])('in a file of mode %o is taken with a warning', async (mode) => {
    const path = await keyIn('key', mode)
    const { warnings } = await load({ flags: { keyFile: path } })
    expect(warnings).toEqual([`--key-file: other users can read the key in ${path}: chmod 600 ${path}`])
  })

  test('in a settings file that others may read is taken with a warning', async () => {
    await chmod(file, 0o644)
    const { warnings } = await load({ yaml: `key: ${KEY}` })
    expect(warnings).toEqual([`${file}:1:6: other users can read the key in ${file}: chmod 600 ${file}`])
  })

  test.each([
    ['nothing', 'does not exist'],
    ['empty', 'is empty: write the key into it'],
    ['.', 'is not a regular file'],
    ['long', 'is longer than 16384 bytes'],
  ])('in a key-file that is %j is refused: it %s', async (path, reason) => {
    await keyIn('empty', 0o600, ' \n')
    await keyIn('long', 0o600, 'x'.repeat(16_385))
    const message = await refusal({ flags: { keyFile: join(root, path) } })
    expect(message).toBe(`--key-file: the key-file ${join('ROOT', path)} ${reason}`)
  })

  test('has no flag, because arguments can be read by every user', async () => {
    expect(agentOptions.map(({ long }) => long)).not.toContain('--key')
    expect(await refusal({ flags: { key: KEY } })).toMatch(/^missing HOOP_KEY/)
  })

  test('is not shown by anything that prints the settings', async () => {
    const settings = await load({ env: { HOOP_KEY: KEY } })
    const printed = [
      inspect(settings, { depth: 9, showHidden: true }),
      JSON.stringify(settings),
      String(settings.key.value),
    ]
    expect(printed.join()).toContain('<set>')
    expect(printed.join()).not.toContain('xagt')
  })

  test.each<[string, Given]>([
    ['key-file', { flags: { keyFile: KEY } }],
    ['key-file without a scheme', { flags: { keyFile: 'xagt-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' } }],
    ['another variable', { env: { LOG_LEVEL: KEY } }],
    ['a list in the file', { yaml: `key: [${KEY}]` }],
    ['the name of a setting', { yaml: `{key:${KEY}}` }],
    ['a file with nothing else', { yaml: KEY }],
    ['a file that is not YAML', { yaml: `key: "${KEY}\nlog.level: info` }],
    ['a tag', { yaml: `key: !${KEY.slice(13, 40)} 1` }],
  ])('is not in the refusal when it is given as %s', async (_, given) => {
    expect(await refusal(given)).not.toContain('xagt')
  })
})

test('the flags work with commander and no flag of it is required', async () => {
  const command = new Command().exitOverride()
  for (const one of agentOptions) command.addOption(one)
  command.parse(['--output-cap', '1MiB', '--allow-plaintext', '--kill-grace', '5s', '--log-level', 'warn'], {
    from: 'user',
  })
  const settings = await load({ env: { HOOP_KEY: KEY }, flags: command.opts() })
  expect(settings).toMatchObject({
    outputCapBytes: 1024 ** 2,
    allowPlaintext: true,
    killGraceMs: 5000,
    maxDurationMs: undefined,
    logLevel: 'warn',
  })
})
