/** Which agent type a subtype of the type becomes, and what all other subtypes become. protocol.md 5.1. */
interface Collapse {
  readonly subtypes: ReadonlyMap<string, string>
  readonly otherwise: string
}

const COMMAND_LINE = 'command-line'

const APPLICATION: Collapse = {
  subtypes: new Map([
    ['tcp', 'tcp'],
    ['ssh', 'ssh'],
    ['ssh-local', 'ssh'],
    ['git', 'ssh'],
    ['github', 'ssh'],
    ['httpproxy', 'httpproxy'],
    ['kibana', 'httpproxy'],
    ['grafana', 'httpproxy'],
    ['mcpproxy', 'mcpproxy'],
  ]),
  otherwise: COMMAND_LINE,
}

const CUSTOM: Collapse = {
  subtypes: new Map([
    ['dynamodb', 'dynamodb'],
    ['cloudwatch', 'cloudwatch'],
    ['rdp', 'rdp'],
    ['aws-ssm', 'aws-ssm'],
    ['kubernetes', 'kubernetes'],
    ['kubernetes-eks', 'kubernetes'],
    ['httpproxy', 'httpproxy'],
    ['kubernetes-token', 'httpproxy'],
    ['mcpproxy', 'mcpproxy'],
  ]),
  otherwise: COMMAND_LINE,
}

const HTTPPROXY: Collapse = { subtypes: new Map([['mcpproxy', 'mcpproxy']]), otherwise: 'httpproxy' }

/** The table has no "else" for databases: an unknown subtype stays `database`, like any type it does not know. */
const DATABASE: Collapse = {
  subtypes: new Map(['postgres', 'mysql', 'mongodb', 'mssql', 'oracledb'].map((name) => [name, name])),
  otherwise: 'database',
}

const COLLAPSES: ReadonlyMap<string, Collapse> = new Map([
  ['application', APPLICATION],
  ['custom', CUSTOM],
  ['database', DATABASE],
  ['httpproxy', HTTPPROXY],
])

/**
 * The connection type an agent is told, from the type and subtype a connection is configured with. Types the
 * table does not know go through as they are, e.g. `command-line`.
 */
export function connectionType(type: string, subtype: string | undefined): string {
  const collapse = COLLAPSES.get(type)
  if (collapse === undefined) return type
  return collapse.subtypes.get(subtype ?? '') ?? collapse.otherwise
}
