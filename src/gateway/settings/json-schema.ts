import { documentJson, type JsonSchema } from '../../basics/settings/json-schema.ts'
import { SettingsShape } from './schema.ts'
import { jsonOf } from '../../basics/settings/shapes.ts'

/** `gateway.yaml` for editors. */
export function gatewaySchema(): object {
  return documentJson('gateway.yaml of runbook-agent', described(jsonOf(SettingsShape), ''))
}

/** What each setting is for. Its kind and default come from its shape, docs/gateway.md says more. */
const MEANINGS: Readonly<Partial<Record<string, string>>> = {
  'listen.http': 'address of the REST interface; port 0 is a free one',
  'listen.grpc': 'address for agents and command lines',
  'listen.allow-remote': 'allows addresses that are not the loopback; there is no TLS',
  state: 'folder of history and repositories',
  users: 'who may ask, each by a token',
  'users[].name': 'also the name at a login',
  'users[].token': 'bearer token, better a reference to it or its hash',
  'users[].groups': 'members of admin see and end the sessions of all',
  agents: 'who may connect, each by a key',
  'agents[].name': 'the agent connects with it, grpc://NAME:KEY@HOST:PORT?mode=standard',
  'agents[].key': "the secret part of the agent's key, better a reference to it or its hash",
  repositories: 'where runbooks are read from',
  'repositories[].name': 'for runbooks.repository of connections',
  'repositories[].url': 'where git fetches it',
  'repositories[].branch': "the branch of the runbooks; by default the remote's HEAD",
  'repositories[].refresh': 'how long a copy of a remote repository counts as fresh (10s)',
  connections: 'commands that can be run, each with its variables and secrets',
  'connections[].name': 'by which users ask for it',
  'connections[].agent': 'name of the agent that runs it',
  'connections[].type': 'with subtype the type that the agent is told: database with postgres is postgres',
  'connections[].subtype': 'see type',
  'connections[].command': 'program and arguments, without a shell; the agent replaces $NAME in arguments',
  'connections[].env': 'variables, NAME to value',
  'connections[].files': 'secret files, NAME to the path of a file; the command gets the path of a copy',
  'connections[].secrets': "variables and files in hoop's form, envvar:NAME or filesystem:NAME to base64",
  'connections[].runbooks': 'the runbooks of this connection; without it there are none',
  'connections[].runbooks.repository': 'name of the repository',
  'connections[].runbooks.path': 'folder of the files that may be run; by default all',
  'connections[].access': 'what users may do with it',
  'connections[].access.runbooks': 'whether runbooks may run',
  'connections[].access.exec': 'whether scripts of users may run',
  'connections[].access.connect': 'whether terminals may be opened; by default where exec is allowed',
  'connections[].access.client-input':
    'whether callers may add arguments and variables; by default with exec',
  'connections[].access.client-escapes': "whether scripts may leave the database's client for a shell",
  'connections[].access.groups': 'only users in one of these groups see it; by default everybody',
  'limits.wait': 'a request is answered with 202 after it',
  'limits.agent-wait': 'how long an execution waits for an agent that is away',
  'limits.body': 'longest body of a request',
  'limits.output': 'longest output in an answer',
  'history.retain': 'sessions that ended longer ago are deleted',
  'history.size': 'what the history may take up on the disk',
}

/** @param path as in docs/gateway.md: `users[].name` */
function described(schema: JsonSchema, path: string): JsonSchema {
  const { properties, items } = schema
  const members = Object.entries(properties ?? {}).map(([name, member]) => [
    name,
    described(member, path === '' ? name : `${path}.${name}`),
  ])
  const parts = [MEANINGS[path], schema.description].filter((part) => part !== undefined)
  return {
    ...schema,
    ...(parts.length === 0 ? {} : { description: parts.join('. Takes ') }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(members) as typeof properties }),
    ...(items === undefined ? {} : { items: described(items, `${path}[]`) }),
  }
}
