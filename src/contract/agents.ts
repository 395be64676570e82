import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { option, text, time, wholeCount } from './words.ts'

const AgentShape = v.strictObject({
  id: text,
  name: needed(text),
  token: v.literal(''),
  mode: v.literal('standard'),
  status: v.picklist(['CONNECTED', 'DISCONNECTED']),
  metadata: v.record(v.string(), v.string()),
  hostname: text,
  machine_id: text,
  kernel_version: text,
  version: text,
  goversion: text,
  compiler: text,
  platform: text,
  last_contact: v.nullable(text),
  // Fields that hoop does not have.
  state: v.picklist(['connected', 'draining', 'left', 'lost', 'never']),
  /**
   * Time of the newest connect since the gateway started, and the time from which the agent accepts no new
   * sessions.
   */
  connected_at: time,
  left_at: time,
  /** Why the agent accepts no new sessions. */
  last_words: v.nullable(text),
  /** Shown to admins and auditors only. */
  address: v.nullable(text),
  sessions: wholeCount,
  /** Most parallel sessions, as the agent reported when it connected. */
  session_limit: v.nullable(wholeCount),
  /** Connections that the reader may see. */
  connections: v.array(text),
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
