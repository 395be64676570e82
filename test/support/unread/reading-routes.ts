import type { Site, SiteOptions } from '../sites/site.ts'
import { waitFor } from '../wait.ts'
import { FILLED } from './filled-history.ts'

/** Ids of what `madeThings` has made. */
export interface Things {
  readonly batch: string
}

/**
 * A URL of each GET of the REST interface, with the options that make the answer on the filled history largest.
 */
export const READING_ROUTES: Readonly<
  Record<string, (things: Things, site: Site) => string | Promise<string>>
> = {
  '/api/runbooks': () => '/api/runbooks',
  '/api/plugins/runbooks/templates': () => '/api/plugins/runbooks/templates',
  '/api/plugins/runbooks/connections/:name/templates': () =>
    '/api/plugins/runbooks/connections/bash/templates',
  '/api/runbooks/choices': () =>
    '/api/runbooks/choices?connection_name=bash&file_name=ops/listed.sh&parameter=x',
  '/api/runbooks/rules': () => '/api/runbooks/rules',
  '/api/runbooks/rules/:id': () => '/api/runbooks/rules/bash',
  '/api/runbooks/configurations': () => '/api/runbooks/configurations',
  '/api/batches': () => '/api/batches',
  '/api/batches/:id': ({ batch }) => `/api/batches/${batch}`,
  '/api/batches/:id/diff': ({ batch }) => `/api/batches/${batch}/diff`,
  '/api/sessions': () => '/api/sessions?limit=100',
  '/api/plugins/audit/sessions': () => '/api/plugins/audit/sessions?limit=100',
  '/api/sessions/export': () => '/api/sessions/export?parameter=ppp',
  '/api/sessions/:id': () => `/api/sessions/${FILLED.reviewed}`,
  '/api/sessions/:id/download': (_, site) => link(site, ''),
  '/api/sessions/:id/download/input': (_, site) => link(site, '&blob-type=session_input'),
  '/api/sessions/:id/result/stream': () => `/api/sessions/${FILLED.output}/result/stream`,
  '/api/sessions/:id/stream': () => `/api/sessions/${FILLED.output}/stream`,
  '/api/sessions/by-day': () => '/api/sessions/by-day?days=90&user=%25a%25',
  '/api/sessions/:id/output': () => `/api/sessions/${FILLED.output}/output`,
  '/api/sessions/:id/statements': () => `/api/sessions/${FILLED.statements}/statements?limit=1000`,
  '/api/reviews': () => '/api/reviews',
  '/api/reviews/:id': () => `/api/reviews/${FILLED.reviewed}`,
  '/api/reviews/:id/previous': () => `/api/reviews/${FILLED.reviewed}/previous`,
  '/api/schedules': () => '/api/schedules',
  '/api/schedules/:name': () => '/api/schedules/nightly',
  '/api/locks': () => '/api/locks',
  '/api/connections': () => '/api/connections',
  '/api/connections/:name': () => '/api/connections/bash',
  '/api/connections/:name/terminal': () => '/api/connections/bash/terminal',
  '/api/plugins': () => '/api/plugins',
  '/api/plugins/:name': () => '/api/plugins/runbooks',
  '/api/integrations/jira': () => '/api/integrations/jira',
  '/api/integrations/jira/issuetemplates': () => '/api/integrations/jira/issuetemplates',
  '/api/integrations/jira/issuetemplates/:id': () => '/api/integrations/jira/issuetemplates/t',
  '/api/agents': () => '/api/agents',
  '/api/agents/:name': () => '/api/agents/local',
  '/api/users': () => '/api/users',
  '/api/users/:name': () => '/api/users/admin',
  '/api/users/groups': () => '/api/users/groups',
  '/api/access': () => '/api/access',
  '/api/access/:name/:connection': () => '/api/access/admin/bash',
  '/api/serviceaccounts': () => '/api/serviceaccounts',
  '/api/api-keys': () => '/api/api-keys',
  '/api/api-keys/:name': () => '/api/api-keys/machine',
  '/api/budgets': () => '/api/budgets',
  '/api/tokens': () => '/api/tokens',
  '/api/audit/logs': () => '/api/audit/logs?page_size=100',
  '/api/audit/head': () => '/api/audit/head',
  '/api/audit/export': () => '/api/audit/export',
  '/api/audit/chain': () => '/api/audit/chain',
  '/api/webhooks': () => '/api/webhooks',
  '/api/healthz': () => '/api/healthz',
  '/readyz': () => '/readyz',
  '/mcp': () => '/mcp',
  '/api/openapiv3.json': () => '/api/openapiv3.json',
  '/api/publicserverinfo': () => '/api/publicserverinfo',
  '/api/serverinfo': () => '/api/serverinfo',
  '/api/userinfo': () => '/api/userinfo',
  '/api/settings': () => '/api/settings',
  '/api/settings/changes': () => '/api/settings/changes',
  '/api/login': () => '/api/login',
  '/api/callback': () => '/api/callback?code=c&state=s',
  '/api/login/device': () => '/api/login/device',
  '/api/login/device/start': () => '/api/login/device/start?code=c',
  '/api/changes': () => '/api/changes',
}
/** The page, and the documents of the interface. */
export const ROUTES_OF_NO_CONTRACT = ['/', '/docs', '/docs/json', '/docs/yaml']

/** Output that differs on each connection, and has more lines than a comparison reads. */
const NOISE = 'for ((i = 0; i < 20000; i++)); do echo $RANDOM$RANDOM; done'
const NOISY = Array.from({ length: 22 }, (_, at) => `noisy-${at}`)

/** A runbook with a list that is as large as a list may be. */
const LISTED = {
  'ops/listed.sh': '{{/* options-from x ops/many.sh */}}{{ .x }}',
  'ops/many.sh': "seq -f '%.0f a label that fills the answer of the gateway' 4500",
}

export const ATTACKED_SITE: Pick<SiteOptions, 'connections' | 'runbooks' | 'schedules'> = {
  connections: NOISY.map((name) => ({ name, command: ['bash'] })),
  runbooks: { 'ops/noise.sh': NOISE, 'ops/long.sh': 'echo', ...LISTED },
  schedules: [
    { name: 'nightly', cron: '0 3 29 2 *', connection: 'bash', as: 'admin', runbook: 'ops/long.sh' },
  ],
}

/** Runs a batch whose outputs are large, and all different. Settles when it has ended. */
export async function madeThings({ rest }: Site): Promise<Things> {
  const asked = { connections: NOISY, file_name: 'ops/noise.sh', parallel: 4 }
  const { body } = await rest.send('POST', '/api/batches', JSON.stringify(asked))
  const { id: batch } = JSON.parse(body) as { readonly id: string }
  await waitFor(async () => {
    const { body: shown } = await rest.send('GET', `/api/batches/${batch}`)
    return (JSON.parse(shown) as { readonly status: string }).status === 'done'
  })
  return { batch }
}

/** A link is good only in the process that made it. */
async function link({ rest }: Site, more: string): Promise<string> {
  const { body } = await rest.send('GET', `/api/sessions/${FILLED.output}?extension=txt${more}`)
  const { download_url: url } = JSON.parse(body) as { readonly download_url: string }
  return url.replace(/^https?:\/\/[^/]+/, '')
}
