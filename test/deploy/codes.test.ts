import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/client/rest/http/api-error.ts'
import { kindOfCode } from '../../src/client/rest/http/json.ts'
import { reasonOfCode } from '../../src/client/running/session-end.ts'
import { clientFailure } from '../../src/commands/client/report/failures.ts'
import { explanation } from '../../src/commands/client/report/end-report.ts'
import { Failure } from '../../src/commands/failure.ts'
import { STATUSES } from '../../src/contract/statuses.ts'
import { GATEWAY_CODES, type GatewayCode } from '../../src/wire/gateway-codes.ts'
import { codeOfWords, hoopWords } from '../../src/wire/gateway-words.ts'

// docs/endings-and-codes.md beside the source.

const root = new URL('../../', import.meta.url)
const source = new URL('src/', root)
const table = readFileSync(new URL('docs/endings-and-codes.md', root), 'utf8')
const ROW =
  /^\| ([a-z-]*[a-z][a-z-]*) +\| (\S+) +\| (\S+) +\| ([^|]+?) +\| (\S+) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm
const rows = [...table.matchAll(ROW)]
  .map(([, code = '', grpc, session, http, request]) => ({ code, grpc, session, http, request }))
  .filter(({ code }) => code !== 'code')

/** No client is told. */
const OF_AGENTS: readonly GatewayCode[] = ['agent-already-connected', 'agent-certificate-refused']

function exitOfSession(code: GatewayCode): number {
  const subject = { verb: 'exec', connection: 'bash', address: 'gateway', sessionId: undefined } as const
  return explanation({ kind: reasonOfCode(code), message: '' }, subject).exitCode
}

function exitOfRequest(code: GatewayCode): number {
  const failure = clientFailure(new ApiError(kindOfCode(code), ''), '')
  if (!(failure instanceof Failure)) throw new Error('expected a Failure', { cause: failure })
  return failure.exitCode
}

describe('docs/endings-and-codes.md', () => {
  it('has a row for every code of the source, and no other', () => {
    expect(rows.map(({ code }) => code).sort()).toEqual([...GATEWAY_CODES].sort())
  })

  it.each(GATEWAY_CODES)('says with which statuses and exit codes %s comes', (code) => {
    const { grpc, http }: { grpc?: string; http?: readonly number[] } = STATUSES[code]
    const isForClients = grpc !== undefined && !OF_AGENTS.includes(code)
    expect(rows.find((row) => row.code === code)).toEqual({
      code,
      grpc: grpc ?? '-',
      session: isForClients ? String(exitOfSession(code)) : '-',
      http: http?.join(', ') ?? '-',
      request: http === undefined ? '-' : String(exitOfRequest(code)),
    })
  })

  it.each(['docs/page-and-command-line.md', 'docs/rest.md'])('is linked from %s', (file) => {
    expect(readFileSync(new URL(file, root), 'utf8')).toContain('(endings-and-codes.md')
  })
})

describe("hoop's sentences", () => {
  /** Go says it too, about a connection or a text that ends. */
  const ANYBODYS = 'EOF'
  const sentences = Object.values(hoopWords)
    .map((words) => (typeof words === 'string' ? words : words('exec', 'x')))
    .filter((sentence) => sentence !== ANYBODYS)

  it('stand in no other file of the source', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('gateway-words.ts'),
    )
    const repeated = files.flatMap((file) => {
      const text = readFileSync(new URL(file, source), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '')
      return sentences
        .filter((sentence) => ["'", '"', '`'].some((quote) => text.includes(quote + sentence + quote)))
        .map((sentence) => `${file}: ${sentence}`)
    })
    expect(repeated).toEqual([])
  })

  it.each([
    [hoopWords.agentIsOffline, 'agent-offline'],
    [hoopWords.disabled('runbooks'), 'not-permitted'],
    [hoopWords.sessionKilled, 'session-killed'],
    [hoopWords.agentHasDisconnected, 'agent-lost'],
    [hoopWords.agentHasEnded, 'agent-lost'],
    [hoopWords.gatewayShutdown, 'gateway-stopped'],
    [hoopWords.sessionExpired, 'session-expired'],
    ['context canceled', undefined],
  ])('mean what our own code for them means: %s', (sentence, code) => {
    expect(codeOfWords(sentence)).toBe(code)
  })
})
