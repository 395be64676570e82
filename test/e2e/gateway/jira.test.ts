import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const TICKETED = { name: 'ticketed', command: ['bash'], jira: 'runs' }

interface Session {
  readonly exit_code: number | null
  readonly integrations_metadata: { readonly jira_issue_key: string } | null
  readonly jira_transition: { readonly status: string } | null
}

it('no issue is lost when the gateway is killed while it asks Jira, and while it moves the issue', async () => {
  await using server = await JiraServer.start()
  const templates = [{ name: 'runs', project_key: 'OPS', request_type_id: '25' }]
  const jira = { url: server.url, user: 'gateway@example.test', api_token: JIRA_TOKEN, templates }
  await using site = await Site.start({ connections: [TICKETED], jira })
  const restart = async () => {
    site.gateway.signal('SIGKILL')
    await site.gateway.ended()
    await site.startGateway()
  }
  const run = () => site.rest.script('ticketed', 'echo ran')
  const sessions = async () => {
    const { body } = await site.rest.send('GET', '/api/sessions')
    return (JSON.parse(body) as { readonly data: readonly Session[] }).data
  }

  // Jira has the issue, the gateway no answer.
  const unanswered: ServerResponse[] = []
  server.answers('create', (_, response) => void unanswered.push(response))
  const asked = run().catch((error: unknown) => error)
  await waitFor(() => unanswered.length === 1)
  await restart()
  expect(await asked).toBeInstanceOf(Error)
  expect(await sessions()).toMatchObject([{ exit_code: 254, integrations_metadata: null }])

  // The run has ended, and its issue is being moved.
  const moves: string[] = []
  server.answers('create', (received, response) => {
    server.scriptOf('create')(received, response)
    server.transitionsOf('OPS-1', ({ method }) => void moves.push(method))
  })
  await site.agent.says('stderr', /agent serving[^]*agent serving/)
  expect((await run()).body).toMatchObject({ output: 'ran\n', exit_code: 0 })
  await waitFor(() => moves.length > 0)
  // What was asked stays without an answer; the next gateway asks within a moment.
  server.transitionsOf('OPS-1', undefined)
  await restart()
  await waitFor(() => server.issues[0]?.status === 'Done')
  await waitFor(async () => (await sessions())[0]?.jira_transition?.status === 'done')

  // It was moved, and the gateway does not know.
  server.answers('create', (received, response) => {
    server.scriptOf('create')(received, response)
    server.rest.on('POST /rest/api/3/issue/OPS-2/transitions', (_, answer) => {
      const issue = server.issues[1]
      if (issue !== undefined) issue.status = 'Done'
      unanswered.push(answer)
    })
  })
  await site.agent.says('stderr', /(?:agent serving[^]*){3}/)
  expect((await run()).body).toMatchObject({ exit_code: 0 })
  await waitFor(() => unanswered.length === 2)
  server.rest.on('POST /rest/api/3/issue/OPS-2/transitions', json(400, {}))
  await restart()
  await waitFor(async () => (await sessions())[0]?.jira_transition?.status === 'done')
})
