import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runProgram } from '../support/sites/program.ts'
import { Workplace } from '../support/sites/workplace.ts'

// How fast a command starts is above all which packages it loads, which does not depend on what else the machine does.
// docs/performance.md has the times.

/** Nobody listens there. No settings file either, not even the workplace's empty one: nothing has to read YAML. */
const NOWHERE = {
  ...{ HOOP_APIURL: 'http://127.0.0.1:1', HOOP_GRPCURL: 'grpc://127.0.0.1:1', HOOP_TOKEN: 'none' },
  RUNBOOK_AGENT_CONFIG: '',
}
const GRPC = ['@grpc/grpc-js', '@grpc/proto-loader']
const OF_THE_AGENT = ['koffi', 'node-pty', 'pino', 'tmp-promise']
/** Only for sessions that ask for it. */
const OF_POLICIES = /\/policy\/(?:masking|guardrails\/(?:automaton|compile))/

/** The files that a command has loaded when it has failed to reach a gateway, or is done: V8 lists them at the end. */
async function loadedBy(args: readonly string[]): Promise<string[]> {
  using place = new Workplace()
  const folder = place.at('coverage')
  await runProgram(place, args, { ...NOWHERE, NODE_V8_COVERAGE: folder })
  const reports = readdirSync(folder).map(
    (name) =>
      JSON.parse(readFileSync(place.at('coverage', name), 'utf8')) as {
        readonly result: readonly { readonly url: string }[]
      },
  )
  const urls = reports.flatMap(({ result }) => result.map(({ url }) => url))
  return [...new Set(urls)].filter((url) => url.startsWith('file:'))
}

const packageOf = (url: string) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

it.each([
  ['version', ['commander']],
  ['sessions', ['commander', 'valibot']],
  ['run sh report.runbook.sh', ['commander', 'valibot']],
  ['exec sh -i true', ['commander', 'valibot', ...GRPC]],
  ['start --key-file missing', ['commander', 'valibot', ...GRPC, ...OF_THE_AGENT]],
])('%s loads no package that it does not need', async (line, packages) => {
  const loaded = await loadedBy(line.split(' '))
  const ours = loaded.filter((url) => packageOf(url) === undefined)
  const direct = new Set(loaded.map(packageOf).filter((name) => name !== undefined && name in dependencies))
  expect(ours.filter((url) => OF_POLICIES.test(url))).toEqual([])
  expect([...direct].toSorted()).toEqual(packages.toSorted())
  expect(ours.length).toBeGreaterThan(0)
})
