import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseLogLine, type Logger as AgentLogger, type LogLine } from '../src/basics/logger.ts'
import { type RootLogger, type LoggerOptions, createLogger } from '../src/log.ts'
type Use = (log: RootLogger) => void

/** What is written by the time the last call has returned. */
async function written(options: Partial<LoggerOptions>, use: Use): Promise<string> {
  const destination = new PassThrough()
  use(await createLogger({ level: 'debug', encoding: 'json', ...options, destination }))
  return String(destination.read() ?? '')
}

async function line(use: Use): Promise<Record<string, unknown>> {
  return JSON.parse(await written({}, use)) as Record<string, unknown>
}

test("createLogger makes the logger of the agent and of the gateway, and a child's too", async () => {
  const log: AgentLogger = await createLogger({ level: 'info', encoding: 'json' })
  expect(Object.keys(log)).toEqual(['debug', 'info', 'warn', 'error', 'child', 'setLevel'])
})

describe('the JSON form', () => {
  test.each(['debug', 'info', 'warn', 'error'] as const)(
    'writes %s as a line with a level of text and a time',
    async (level) => {
      const output = await written({}, (log) => log[level]({ sid: 's1', pid: 7 }, 'hello\nworld'))
      expect(output).toMatch(
        new RegExp(
          `^{"level":"${level}","timestamp":"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z","sid":"s1","pid":7,"msg":"hello\\\\nworld"}\n$`,
        ),
      )
    },
  )

  test('leaves out what is below the level', async () => {
    const output = await written({ level: 'warn' }, (log) => {
      log.debug({}, 'a')
      log.info({}, 'b')
      log.child({ sid: 's' }).info({}, 'c')
      log.warn({}, 'd')
    })
    expect(output.split('\n').map((each) => /"msg":"(.)"/.exec(each)?.[1])).toEqual(['d', undefined])
  })

  test("a child's lines have its fields", async () => {
    expect(
      await line((log) => log.child({ sid: 's1' }).child({ pid: 2 }).info({ exitCode: 0 }, 'm')),
    ).toMatchObject({
      sid: 's1',
      pid: 2,
      exitCode: 0,
    })
  })

  test('an error in err has its message and stack', async () => {
    const found = await line((log) => log.error({ err: new TypeError('boom') }, 'm'))
    expect(found['err']).toMatchObject({
      type: 'TypeError',
      message: 'boom',
      stack: expect.stringContaining('log.test.ts') as string,
    })
  })
})

describe('a tap', () => {
  async function tapped(options: Partial<LoggerOptions>, use: Use): Promise<LogLine[]> {
    const lines: LogLine[] = []
    await written({ ...options, tap: (line) => lines.push(parseLogLine(line)) }, use)
    return lines
  }

  test.each(['json', 'human'] as const)('gets what is written, in parts: %s', async (encoding) => {
    const lines = await tapped({ level: 'info', encoding }, (log) => {
      log.debug({}, 'below the level')
      log.child({ sid: 's', token: 'hunter2-hunter2' }).warn({ n: 1, deep: { key: 'hunter2-hunter2' } }, 'm')
    })
    expect(lines).toEqual([
      {
        time: expect.any(Date) as Date,
        level: 'warn',
        message: 'm',
        fields: { sid: 's', token: '[redacted]', n: 1, deep: { key: '[redacted]' } },
      },
    ])
  })

  test("gets a line for whatever is logged, and its failure is nobody's", async () => {
    const odd = { level: 'odd', timestamp: 'odd', msg: 1, err: new TypeError('boom') }
    const [line] = await tapped({}, (log) => log.error(odd, 'm'))
    expect(line?.fields['err']).toMatchObject({ type: 'TypeError', message: 'boom' })
    const output = await written(
      {
        tap: () => {
          throw new Error('no')
        },
      },
      (log) => log.info({}, 'm'),
    )
    expect(output).toContain('"msg":"m"')
  })
})

describe('a field that sounds like a secret', () => {
  const SECRET = 'hunter2-hunter2'
  const names = [
    'key',
    'apiKey',
    'HOOP_KEY',
    'HOOP_DSN',
    'token',
    'access_token',
    'secret',
    'password',
    'PGPASSWORD',
    'Authorization',
    'authorization',
    'credentials',
    'passphrase',
  ]

  test.each(names)('%s is redacted, at the top, inside, in lists and in children', async (name) => {
    const fields = {
      [name]: SECRET,
      deep: { er: { [name]: { nested: SECRET } }, list: [{ [name]: [SECRET] }] },
    }
    const output = await written({}, (log) => log.child({ sid: 's', ...fields }).info(fields, 'm'))
    expect(output).toContain(`"${name}":"[redacted]"`)
    expect(output).toContain('"sid":"s"')
    expect(output).not.toContain(SECRET)
    expect(await written({ encoding: 'human' }, (log) => log.child(fields).info(fields, 'm'))).not.toContain(
      SECRET,
    )
  })

  test('is left alone when it is a number, or only begins like one', async () => {
    const fields = { keys: 3, tokenCount: 'three', keyFile: '/etc/key', sid: 's' }
    expect(await line((log) => log.info(fields, 'm'))).toMatchObject(fields)
  })
})

test('no field makes the call that logs it throw', async () => {
  const cyclic: Record<string, unknown> = { a: 1 }
  cyclic['self'] = cyclic
  const failing = {
    get boo(): string {
      throw new Error('no')
    },
  }
  const found = await line((log) =>
    log.info(
      {
        url: new URL('http://a/b'),
        bytes: Buffer.from('a'),
        big: 1n,
        in: { big: 1n },
        cyclic,
        at: { failing },
        cause: new Error('x'),
      },
      'm',
    ),
  )
  expect(found).toMatchObject({
    url: 'http://a/b',
    bytes: { type: 'Buffer', data: [97] },
    big: 1,
    in: { big: '1' },
    cyclic: '[unprintable]',
    at: '[unprintable]',
    cause: { type: 'Error', message: 'x' },
    msg: 'm',
  })
})

describe('the human form', () => {
  test('writes a line with the level, the message and the fields', async () => {
    const output = await written({ encoding: 'human' }, (log) => log.warn({ sid: 's1' }, 'session refused'))
    expect(output).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: session refused \{"sid":"s1"\}\n$/)
  })

  test('shows control characters instead of sending them to the terminal', async () => {
    const nasty = 'a\u001b[2Jb\u009b2J\u0007\b\r\\u001b\\\\n'
    const output = await written({ encoding: 'human' }, (log) => log.info({ nasty }, nasty))
    expect(output.slice(0, -1)).not.toMatch(/\p{Cc}/u)
    expect(output).toContain('a\\u001b[2Jb\\u009b2J\\u0007\\b\\r\\u001b\\\\n')
  })
})

describe('a process', () => {
  let root: string

  // Node 20 runs no TypeScript.
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'log-test-'))
    symlinkSync(resolve(import.meta.dirname, '../node_modules'), join(root, 'node_modules'))
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    const source = readFileSync(resolve(import.meta.dirname, '../src/log.ts'), 'utf8')
    writeFileSync(join(root, 'log.js'), ts.transpileModule(source, { compilerOptions }).outputText)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  async function stderrOf(script: string): Promise<string> {
    writeFileSync(join(root, 'main.js'), `import { createLogger } from './log.js'\n${script}`)
    const child = spawn(process.execPath, [join(root, 'main.js')], { stdio: ['ignore', 'ignore', 'pipe'] })
    const [output] = await Promise.all([text(child.stderr), once(child, 'close')])
    return output
  }

  test.each(['json', 'human'])(
    'that exits at once has written all of its %s lines to stderr',
    async (encoding) => {
      const output = await stderrOf(`
      const log = await createLogger({ level: 'info', encoding: '${encoding}' })
      for (let i = 0; i < 5000; i++) log.info({ i, fill: 'x'.repeat(100) }, 'line')
      process.exit(0)`)
      const lines = output.trimEnd().split('\n')
      expect(lines).toHaveLength(5000)
      expect(lines.at(-1)).toContain('"i":4999,')
      expect(output).not.toContain('\u001b')
    },
  )

  test('loads pino-pretty for human lines only', async () => {
    const loaded = (encoding: string): Promise<string> =>
      stderrOf(`
        import { createRequire } from 'node:module'
        await createLogger({ level: 'info', encoding: '${encoding}' })
        console.error(Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/pino-pretty/')))`)
    expect([await loaded('json'), await loaded('human')]).toEqual(['false\n', 'true\n'])
  })
})
