import * as v from 'valibot'
import type { Contract } from './contract.ts'
import { about, nothing, text } from './words.ts'

/** Largest body of a request to `/mcp`. */
export const MAX_MCP_BODY_BYTES = 1024 * 1024

/** Set for a session or a request that began by a tool of /mcp. */
export const machineShape = {
  machine: about(
    'the tool of /mcp by which a machine began this, and what its client says that it is, which nothing proves; missing if it did not begin by a tool',
    v.optional(v.strictObject({ tool: text, client: text })),
  ),
}

/**
 * The Model Context Protocol, which is JSON-RPC: docs/mcp.md describes its tools. Calls of tools are in the audit log
 * by an entry of their own, since most requests call none.
 */
const OPERATION = {
  tag: 'Runbooks',
  path: '/mcp',
  role: 'standard',
  isForMcp: true,
  isMountedByHand: true,
  audit: 'none',
} as const

export const mcpContract = {
  call: {
    ...OPERATION,
    method: 'POST',
    summary: 'Serves runbooks as tools to AI agents, by the Model Context Protocol',
    description:
      'Without `mcp` in gateway.yaml, this endpoint is missing. A request has 1 MiB at most. See docs/mcp.md.',
    // The errors of the protocol are JSON-RPC; refusals before it have the usual form.
    answers: { 200: v.unknown(), 202: nothing, 400: v.unknown(), 404: v.unknown() },
    errors: ['foreign-page', ['too-large', 413], ['malformed-http', 415], 'too-much-at-once'],
  },
  stream: {
    ...OPERATION,
    method: 'GET',
    summary: 'Refuses a stream of the Model Context Protocol with 405: the gateway sends nothing by itself',
    answers: { 405: v.unknown() },
    errors: ['endpoint-not-found', 'foreign-page'],
  },
  end: {
    ...OPERATION,
    method: 'DELETE',
    summary: 'Refuses the end of a session of the Model Context Protocol with 405: there are no sessions',
    answers: { 405: v.unknown() },
    errors: ['endpoint-not-found', 'foreign-page'],
  },
} as const satisfies Contract
