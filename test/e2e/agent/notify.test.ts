import { expect, it } from 'vitest'
import { NotifyListener } from '../../support/sites/notify-listener.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

it('an agent that systemd started tells it that it is ready, what it does, that it lives and that it stops', async () => {
  using listener = new NotifyListener()
  const heard: string[] = []
  const hears = (line: string) =>
    waitFor(() => {
      heard.push(...listener.take().flatMap((message) => message.split('\n')))
      return heard.some((one) => one.startsWith(line))
    }, 15_000)
  const env = { NOTIFY_SOCKET: listener.address, WATCHDOG_USEC: '200000' }
  await using site = await Site.start({ env })
  await hears('READY=1')
  await hears('STATUS=serving 127.0.0.1:')
  await hears('WATCHDOG=1')
  const { body } = await site.rest.script('bash', 'echo ${NOTIFY_SOCKET-none} ${WATCHDOG_USEC-none}')
  expect(body.output).toBe('none none\n')
  site.agent.signal('SIGTERM')
  await hears('STOPPING=1')
  expect(await site.agent.ended()).toEqual({ code: 0, signal: null })
})
