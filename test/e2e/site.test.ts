import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { signalChild } from '../../src/basics/signals.ts'
import { STATE_NAMES, type StateName } from '../../src/contract/session-state.ts'
import { found } from '../support/wait.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** States that last too short, or that nobody looks for on the page. */
const ABSENT: readonly StateName[] = ['waiting-for-agent']

interface Page {
  readonly total: number
  readonly data: readonly { readonly state: { readonly name: StateName }; readonly start_date: string }[]
}

it('npm run site fills a site with people, connections, runbooks and sessions, and removes it at Ctrl-C', async () => {
  const command = spawn(process.execPath, ['scripts/site.mjs'], { cwd: ROOT, stdio: 'pipe' })
  const said = { text: '' }
  for (const stream of [command.stdout, command.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said.text += text))
  const match = (pattern: RegExp) => pattern.exec(said.text)?.[1]
  try {
    const folder = await found(() => match(/ready after .* in (\S+);/) ?? ended(command))
    const [address, token] = [match(/^(http:\S+)$/m), match(/^admin +\S+ +(\S+)$/m)]
    expect(said.text.match(/^(requester|approver|operator|admin) +\S+ +\S+$/gm)).toHaveLength(4)
    const ask = async <Answer>(url: string) => {
      const headers = { authorization: `Bearer ${token}`, connection: 'close' }
      return (await (await fetch(`${address}${url}`, { headers })).json()) as Answer
    }
    const pages = await Promise.all(
      [0, 100, 200, 300].map((offset) => ask<Page>(`/api/sessions?limit=100&offset=${offset}`)),
    )
    expect(pages[0]?.total).toBe(400)
    const sessions = pages.flatMap(({ data }) => data)
    const states = new Set(sessions.map(({ state }) => state.name))
    expect(STATE_NAMES.filter((name) => !states.has(name))).toEqual(ABSENT)
    const days = new Set(sessions.map(({ start_date: at }) => at.slice(0, 10)))
    expect(days.size).toBeGreaterThanOrEqual(14)
    expect(await ask('/api/users')).toHaveLength(15)
    expect(await ask('/api/connections')).toHaveLength(20)
    const { repositories } = await ask<{ repositories: { items: unknown[] }[] }>('/api/runbooks')
    expect(repositories.flatMap(({ items }) => items)).toHaveLength(40)
    const batches = await ask<{ status: string }[]>('/api/batches')
    expect(new Set(batches.map(({ status }) => status))).toEqual(
      new Set(['done', 'stopped', 'running', 'waiting']),
    )
    expect(await ask('/api/agents')).toMatchObject([{ status: 'DISCONNECTED' }, { status: 'CONNECTED' }])
    await stop(command)
    expect(command.exitCode, said.text).toBe(0)
    expect(existsSync(folder)).toBe(false)
  } finally {
    await stop(command)
  }
})

async function stop(command: ChildProcess): Promise<void> {
  if (command.exitCode !== null) return
  signalChild(command, 'SIGINT')
  await once(command, 'close')
}

/** Fails when the command has ended, instead of waiting for what it will never say. */
function ended({ exitCode }: ChildProcess): undefined {
  if (exitCode !== null) throw new Error(`npm run site has ended with ${exitCode}`)
}
