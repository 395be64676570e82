// Labels of a session that a machine began by a tool of /mcp. Only the gateway sets labels that begin with `runbook`.

/** Name of the tool. */
export const MCP_TOOL_LABEL = 'runbookMcpTool'
/** Id of the token: when it is paused or revoked, the session ends. */
export const MCP_TOKEN_LABEL = 'runbookMcpToken'
/** What the client of the machine says that it is. Nothing proves this. */
export const MCP_CLIENT_LABEL = 'runbookMcpClient'
/** Keyed hash of the arguments, which a repeated request must have, too. Never shown. */
export const MCP_ARGUMENTS_LABEL = 'runbookMcpArguments'

/** The tool and the client of a session, for people who read or approve it. */
export interface McpOrigin {
  readonly tool: string
  /** Empty if the client gave no name. */
  readonly client: string
}

/** Returns undefined for a session that did not begin by a tool. */
export function mcpOrigin(labels: Readonly<Record<string, string>>): McpOrigin | undefined {
  const { [MCP_TOOL_LABEL]: tool, [MCP_CLIENT_LABEL]: client = '' } = labels
  return tool === undefined ? undefined : { tool, client }
}
