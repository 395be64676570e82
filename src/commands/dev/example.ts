import { readFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/** The runbook that `dev` runs to show that everything works. */
const CONNECTION = 'bash'
const request = {
  file_name: 'ops/hello.runbook.sh',
  parameters: { name: 'world' },
  env_vars: { 'filesystem:SECRET_FILE': Buffer.from('a secret in a file\n').toString('base64') },
  client_args: ['-s', '--', 'first-argument'],
}

/** The page of the example, with the parameters of its last run; the repository's name is in state.ts. */
export const EXAMPLE_PAGE = `/runbooks/examples/${request.file_name}?again=last`

interface Answer {
  readonly output: string
  readonly output_status: string
  readonly exit_code: number
  readonly execution_time: number
}

/** Runs the example through the REST interface. @throws Failure when the gateway refuses it */
export async function runExample(http: string, tokenFile: string): Promise<Answer> {
  const response = await fetch(url(http), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(request),
  })
  if (!response.ok)
    throw new Failure(`the example runbook was not run: ${response.status} ${await response.text()}`)
  return (await response.json()) as Answer
}

/** Two commands to paste: sign in, and run it. */
export function exampleCommands(http: string, tokenFile: string): string {
  const program = commandLine()
  return [
    `${program} login --api-url ${http} --token-file ${quoted(tokenFile)}`,
    `${program} run ${CONNECTION} ${request.file_name} -p name=world`,
  ].join('\n')
}

/** The command line of this process: the program need not be in the PATH. */
function commandLine(): string {
  const main = process.argv[1] ?? 'runbook-agent'
  return main.endsWith('.js') ? `node ${quoted(main)}` : quoted(main)
}

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** One command to paste. */
export function exampleCurl(http: string, tokenFile: string): string {
  return [
    `curl -sS '${url(http)}' \\`,
    `  -H "Authorization: Bearer $(cat '${tokenFile.replaceAll("'", `'\\''`)}')" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(request)}'`,
  ].join('\n')
}

function url(http: string): string {
  return `${http}/api/plugins/runbooks/connections/${CONNECTION}/exec`
}
