import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, option, text, time, wholeCount } from './words.ts'

const AgentShape = v.strictObject({
  id: about('the name', text),
  name: needed(about('name of the agent', text)),
  token: v.literal(''),
  mode: v.literal('standard'),
  status: about("hoop's state: connected or not", v.picklist(['CONNECTED', 'DISCONNECTED'])),
  metadata: about(
    'facts of the last connect: `hostname`, `version` and others',
    v.record(v.string(), v.string()),
  ),
  hostname: about('a copy of `metadata`', text),
  machine_id: about('a copy of `metadata`', text),
  kernel_version: about('a copy of `metadata`', text),
  version: about('a copy of `metadata`', text),
  goversion: about('a copy of `metadata`', text),
  compiler: about('a copy of `metadata`', text),
  platform: about('a copy of `metadata`', text),
  last_contact: about('when it was last in contact; null: not since the gateway started', v.nullable(text)),
  // Fields that hoop does not have.
  state: about(
    'draining: it accepts no new sessions; left: it stopped; lost: its stream broke; never: not since the gateway started',
    v.picklist(['connected', 'draining', 'left', 'lost', 'never']),
  ),
  connected_at: about('when it connected, since the gateway started', time),
  left_at: about('since when it accepts no new sessions', time),
  last_words: about('why it accepts no new sessions', v.nullable(text)),
  address: about('its address, for admins and auditors', v.nullable(text)),
  sessions: about('sessions that it runs', wholeCount),
  session_limit: about('sessions that it can run at the same time', v.nullable(wholeCount)),
  connections: about('its connections that the caller may see', v.array(text)),
})

/**
 * An agent with the data of its last connect (`metadata`). Fields with the same data outside `metadata` are
 * hoop's older copies.
 */
export type AgentAnswer = Frozen<v.InferOutput<typeof AgentShape>>

const READ = { tag: 'Connections', method: 'GET', role: 'user', scope: 'connection', audit: 'none' } as const

export const agentContract = {
  list: {
    ...READ,
    path: '/api/agents',
    summary: 'Lists agents with their state and load; auditors and admins see all agents',
    query: { status: option('CONNECTED or DISCONNECTED') },
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
