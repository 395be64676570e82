import { once } from 'node:events'
import { FilledSite } from './filled-site.ts'
import { ROLES } from './shop.ts'

// `npm run site`: a filled site on free ports until Ctrl-C, for whoever looks at the page or measures it.

const begin = performance.now()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
process.stderr.write('site: starting the gateway and filling it, which takes up to a minute\n')
{
  await using filled = await FilledSite.start()
  const { site } = filled
  const roles = Object.keys(ROLES) as (keyof typeof ROLES)[]
  const lines = roles.map((role) => `${role.padEnd(10)} ${ROLES[role].padEnd(14)} ${filled.tokenOf(role)}`)
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  process.stdout.write(`http://${site.address}\n${lines.join('\n')}\n`)
  process.stderr.write(
    `site: ready after ${seconds} s, in ${site.place.path}; Ctrl-C ends it and removes everything\n`,
  )
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
}
