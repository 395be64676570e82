import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openFiles } from '../../support/machine/proc.ts'
import { Site } from '../../support/sites/site.ts'

/** State of a TCP socket that waits for connections, as /proc/net/tcp has it. */
const LISTENS = '0A'

/** Ports on which a process takes connections or datagrams, with their protocol. */
function portsOf(pid: number): string[] {
  const held = new Set(openFiles(String(pid)))
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) =>
    readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => {
        const isOpen = protocol.startsWith('udp') || state === LISTENS
        return isOpen && held.has(`socket:[${inode}]`)
      })
      .map(([, local = '']) => `${protocol} ${parseInt(local.split(':')[1] ?? '', 16)}`),
  )
}

it('an agent without `http` listens on no port, also after it has run something; with `http` on that alone', async () => {
  await using site = await Site.start()
  expect((await site.rest.script('bash', 'echo ran')).body.output).toBe('ran\n')
  expect(portsOf(site.agent.pid)).toEqual([])
  expect(portsOf(site.gateway.pid)).toHaveLength(2)
  await using other = await Site.start({ env: { RUNBOOK_AGENT_HTTP: '127.0.0.1:0' } })
  expect((await other.rest.script('bash', 'echo ran')).body.output).toBe('ran\n')
  expect(portsOf(other.agent.pid)).toEqual([expect.stringMatching(/^tcp \d+$/)])
})
