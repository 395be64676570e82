import { RUNBOOK } from './repository.mjs'

/**
 * The ways to one execution. Each `run(word)` does it from beginning to end and fails unless it printed exactly the
 * word: over gRPC by the scripted gateway (the agent alone), through REST by the whole program. An empty word is the
 * execution of `true`.
 * @param {import('./world.mjs').World} world
 */
export function executors({ scripted, rest }) {
  return {
    'gRPC, true': async () => overGrpc(scripted, ['true'], '', ''),
    'gRPC, sh': async (word) => overGrpc(scripted, ['sh'], script(word), expected(word)),
    'REST, sh': (word) =>
      rest.execute('/api/sessions', { connection: 'sh', script: script(word) }, expected(word)),
    'REST, runbook': (word) =>
      rest.execute(
        '/api/plugins/runbooks/connections/sh/exec',
        { file_name: RUNBOOK, parameters: { word: word || 'true' } },
        `${word || 'true'}\n`,
      ),
  }
}

async function overGrpc(scripted, command, stdin, wanted) {
  let output = ''
  await scripted.execute(command, stdin, 'client-api', (bytes) => (output += bytes.toString()))
  if (output !== wanted) throw new Error(`${command.join(' ')} put out ${JSON.stringify(output)}`)
}

function script(word) {
  return word === '' ? 'true' : `echo ${word}`
}

function expected(word) {
  return word === '' ? '' : `${word}\n`
}
