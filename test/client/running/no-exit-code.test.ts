import { expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { fetchSession } from '../../../src/client/rest/sessions.ts'
import { runApproved } from '../../../src/client/running/execution-request.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

const accountOf = ({ url }: ScriptedRest) =>
  findAccount({
    ...{ env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' }, stored: undefined, file: '' },
  })

it.each([{}, { exit_code: null }])('an answer that says only %j has no exit code, not 0', async (said) => {
  await using rest = await ScriptedRest.start()
  rest.on('POST /api/sessions/s/exec', json(200, { session_id: 's', ...said }))
  const asking = { signal: AbortSignal.timeout(10_000), isLive: false }
  const { value } = await runApproved(accountOf(rest), 's', asking)
  expect(value).toMatchObject({ exit_code: -2, output: '', warning: '' })
})

it.each([{}, { exit_code: null }])('a session that says only %j has no exit code, not 0', async (said) => {
  await using rest = await ScriptedRest.start()
  rest.on('GET /api/sessions/s', json(200, { id: 's', status: 'done', ...said }))
  expect((await fetchSession(accountOf(rest), 's')).exitCode).toBeUndefined()
})

it('a session whose exit code is no number is not read', async () => {
  await using rest = await ScriptedRest.start()
  rest.on('GET /api/sessions/s', json(200, { id: 's', status: 'done', exit_code: 'one' }))
  await expect(fetchSession(accountOf(rest), 's')).rejects.toMatchObject({ kind: 'no-gateway' })
})
