import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, option, text, time, wholeCount } from './words.ts'

const AgentShape = v.strictObject({
  id: about('the same as `name`', text),
  name: needed(about('name of the agent', text)),
  token: v.literal(''),
  mode: v.literal('standard'),
  status: about(
    "hoop's name of the state: CONNECTED if the agent accepts new sessions",
    v.picklist(['CONNECTED', 'DISCONNECTED']),
  ),
  metadata: about(
    'facts that the agent sent when it last connected: `hostname`, `machine-id`, `kernel-version`, `version`, `go-version`, `compiler`, `platform`, each empty if unknown; an empty object if the agent has not connected since the gateway started',
    v.record(v.string(), v.string()),
  ),
  hostname: about('a copy of `hostname` in `metadata`; empty without this entry', text),
  machine_id: about('a copy of `machine-id` in `metadata`; empty without this entry', text),
  kernel_version: about('a copy of `kernel-version` in `metadata`; empty without this entry', text),
  version: about('a copy of `version` in `metadata`; empty without this entry', text),
  goversion: about('a copy of `go-version` in `metadata`; empty without this entry', text),
  compiler: about('a copy of `compiler` in `metadata`; empty without this entry', text),
  platform: about('a copy of `platform` in `metadata`; empty without this entry', text),
  last_contact: about(
    'when the agent was last connected: the time of the answer, or `left_at`; null: never since the gateway started',
    time,
  ),
  // hoop does not have the following fields.
  state: about(
    'connected: the agent accepts new sessions; draining: the agent finishes its sessions and accepts no new sessions; left: the agent announced its end, or its key was removed from gateway.yaml; lost: the stream of the agent broke, or ended without an announcement; never: the agent has not connected since the gateway started',
    v.picklist(['connected', 'draining', 'left', 'lost', 'never']),
  ),
  connected_at: about('when the agent last connected; null: never since the gateway started', time),
  left_at: about(
    'when the agent stopped accepting sessions; null if the agent accepts sessions or has not connected',
    time,
  ),
  last_words: about(
    'why the agent accepts no new sessions, in words; null if the agent accepts sessions or has not connected',
    v.nullable(text),
  ),
  refused_at: about(
    'when a caller that claims to be this agent was last refused because of a wrong key; null: not since the gateway started, or the agent has connected with the right key after it',
    time,
  ),
  refused_from: about(
    'IP address of that caller; null for users who are neither admins nor auditors, and if `refused_at` is null',
    v.nullable(text),
  ),
  address: about(
    'IP address from which the agent last connected; null for users who are neither admins nor auditors, and if the agent has not connected',
    v.nullable(text),
  ),
  sessions: about('number of open sessions on the agent', wholeCount),
  session_limit: about(
    'maximum number of sessions at the same time; null if the agent has not sent this number',
    v.nullable(wholeCount),
  ),
  connections: about('names of the connections of the agent that the caller may see', v.array(text)),
})

/**
 * `metadata` is what the agent last sent. The fields outside `metadata` repeat its values for hoop's older
 * interface.
 */
export type AgentAnswer = Frozen<v.InferOutput<typeof AgentShape>>

const READ = { tag: 'Connections', method: 'GET', role: 'user', scope: 'connection', audit: 'none' } as const

export const agentContract = {
  list: {
    ...READ,
    path: '/api/agents',
    summary: 'Lists agents with their state and load; auditors and admins see all agents',
    query: { status: option('only agents with this `status`: CONNECTED or DISCONNECTED') },
    answers: { 200: v.array(AgentShape) },
  },
  show: {
    ...READ,
    path: '/api/agents/:name',
    summary: 'Shows an agent',
    answers: { 200: AgentShape },
    errors: ['agent-not-found'],
  },
} as const satisfies Contract
