import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signalGroup } from '../../../src/basics/signals.ts'
import { JiraServer } from '../../support/scripted/jira.ts'
import { main } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { freePort } from '../../support/network/free-port.ts'

// The tasks of docs/gateway.md, pasted into a shell block by block.

interface Block {
  readonly heading: string
  readonly script: string
  /** What the page says that it prints; `...` is anything. */
  readonly prints: string | undefined
}

const [page = ''] = readFileSync(new URL('../../../docs/gateway.md', import.meta.url), 'utf8').split(
  '\n## How the gateway behaves\n',
)
const fences = [...page.matchAll(/^(?:## (.*)|```(\w+)\n([^]*?)^```)$/gm)].map(
  ([, heading, language, content = '']) => ({ heading, language, content }),
)
const blocks = fences.flatMap(({ language, content }, at): Block[] => {
  if (language !== 'sh') return []
  const heading = fences.slice(0, at).findLast((fence) => fence.heading !== undefined)?.heading ?? ''
  const next = fences[at + 1]
  return [{ heading, script: content, prints: next?.language === 'text' ? next.content : undefined }]
})

/** For a machine that is busy with other tests. */
const PASTE_MS = 60_000
/** Stands between what the blocks print. */
const BETWEEN = '== next block'

const place = new Workplace()
let jira: JiraServer
let ports: Readonly<Record<'http' | 'grpc', number>>
let printed: readonly string[]
let ending: number | null

beforeAll(async () => {
  jira = await JiraServer.start(undefined, 'the-token-of-a-jira-account')
  ports = { http: await freePort(), grpc: await freePort() }
  mkdirSync(place.at('bin'))
  symlinkSync(main, place.at('bin', 'runbook-agent'))
  const result = await paste(blocks.map(({ script }) => here(script)))
  printed = result.output.split(`${BETWEEN}\n`)
  ending = result.code
}, 2 * PASTE_MS)

afterAll(async () => {
  await jira[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

describe('docs/gateway.md', () => {
  it('has blocks that all run to their ends in one shell, in the order of the page', () => {
    expect(blocks.length).toBeGreaterThan(10)
    expect({ ending, last: printed.at(-1), blocks: printed.length }).toEqual({
      ...{ ending: 0, last: '', blocks: blocks.length + 1 },
    })
  })

  it.each(blocks.map((block, at) => ({ ...block, at })).filter(({ prints }) => prints !== undefined))(
    'prints under $heading what it says (block $at)',
    ({ at, prints = '' }) => {
      expect(printed[at]).toMatch(patternOf(here(prints)))
    },
  )

  it('shows of the settings what stands in them', () => {
    const settings = blocks.find(({ script }) => script.startsWith('cat > gateway.yaml'))?.script ?? ''
    const shown = fences.filter(({ language }) => language === 'yaml').map(({ content }) => content.trimEnd())
    expect(shown.length).toBeGreaterThan(3)
    expect(shown.filter((lines) => !settings.includes(lines))).toEqual([])
  })

  it('finds the sessions that it says, and shows a reviewer the review', () => {
    const list = (name: string) =>
      JSON.parse(readFileSync(place.at('team', name), 'utf8')) as readonly Listed[]
    expect(list('counts.json').map(({ connection }) => connection)).toEqual(['ticketed', 'reviewed', 'db'])
    expect(list('done.json').map(({ user_name: user }) => user)).toEqual(Array(5).fill('ann'))
    expect(readFileSync(place.at('team', 'review.json'), 'utf8')).toMatch(/"group": "dba"[^]*"group": "sre"/)
  })

  it('writes the ticket that it says, and moves it', () => {
    expect(jira.issues).toMatchObject([
      { key: 'OPS-1', status: 'Done', fields: { summary: 'count the orders' } },
    ])
  })
})

interface Listed {
  readonly connection: string
  readonly user_name: string
}

/** With ports that nobody uses here, and the stand-in as Jira's site. */
function here(content: string): string {
  return content
    .replaceAll(':8019', `:${ports.http}`)
    .replaceAll(':8020', `:${ports.grpc}`)
    .replaceAll('https://example.atlassian.net', jira.url)
}

/** However it ends, gateway and agent do too. */
const BEGIN = `exec 2>&1
trap 'code=$?; kill $(jobs -p) 2>/dev/null || :; wait; exit $code' EXIT
`

async function paste(scripts: readonly string[]): Promise<{ output: string; code: number | null }> {
  const script = BEGIN + scripts.map((block) => `${block}echo '${BETWEEN}'\n`).join('')
  const child = spawn('bash', ['-eu', '-c', script], {
    cwd: place.path,
    env: { ...place.env, PATH: `${place.at('bin')}:${place.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  // Of a block that waits for ever, the whole group.
  const limit = setTimeout(() => child.pid !== undefined && signalGroup(child.pid, 'SIGTERM'), PASTE_MS)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const output = await text(child.stdout)
  clearTimeout(limit)
  return { output, code: await ended }
}

function patternOf(prints: string): RegExp {
  const literal = (part: string) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
  return new RegExp(`^${prints.split('...').map(literal).join('[^]*')}$`)
}
