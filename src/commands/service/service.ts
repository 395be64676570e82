import { install } from './install.ts'
import { thisPlace } from './place.ts'
import { readRequest, unitOf, type ServiceFlags } from './request.ts'
import { uninstall } from './uninstall.ts'

export type { ServiceFlags } from './request.ts'
export type ServiceAction = 'install' | 'uninstall' | 'print'

/** `runbook-agent service install|uninstall|print`: the agent as a service of systemd. @throws Failure */
export async function serviceCommand(
  action: ServiceAction,
  flags: ServiceFlags,
  place = thisPlace(),
  say: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<void> {
  const request = readRequest(flags, place, (text) => say(`${text}\n`))
  switch (action) {
    case 'print':
      say(unitOf(request))
      return
    case 'install':
      await install(request)
      return
    case 'uninstall':
      await uninstall(request)
      return
  }
}
