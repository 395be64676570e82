import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { option, text } from './words.ts'

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
})

/** An agent with what it said when it connected last (`metadata`); the fields beside that are hoop's older copies. */
export type AgentAnswer = Frozen<v.InferOutput<typeof AgentShape>>

const READ = { tag: 'Connections', method: 'GET', role: 'user', scope: 'connection', audit: 'none' } as const

export const agentContract = {
  list: {
    ...READ,
    path: '/api/agents',
    summary: 'Lists the agents of these connections, for admins all, and whether they are connected',
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
