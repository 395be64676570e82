import type { FastifyReply, FastifyRequest } from 'fastify'
import { MAX_MCP_BODY_BYTES } from '../../contract/mcp.ts'
import type { McpEvents, McpServer } from '../mcp/server.ts'
import { refused } from '../refusals/request-refused.ts'
import { EventStreams } from './event-streams.ts'
import type { Scopes } from './mount.ts'
import type { RestServices } from './services.ts'

export const MCP = '/mcp'

const NOT_ALLOWED = { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Method not allowed' } }

/** Serves /mcp while gateway.yaml has `mcp`. Without it, no code of the protocol is loaded. */
export function mcpRoute({ app, withBodies }: Scopes, services: RestServices): void {
  const isOn = () => services.settings.value.mcp.length > 0
  let loaded: Promise<McpServer> | undefined
  const server = () =>
    (loaded ??= import('../mcp/server.ts').then(({ McpServer }) => new McpServer(services)))
  const streams = new EventStreams('mcp')
  withBodies.addHook('onReady', async () => {
    // Requests of an earlier gateway may wait for approval, and their tokens may be revoked before the first call.
    if (isOn()) await server()
  })
  withBodies.addHook('preClose', async () => {
    if (loaded !== undefined) (await loaded).close()
    await streams.close()
  })
  const checkOn = () => {
    if (!isOn()) throw refused('endpoint-not-found/mcp')
  }
  withBodies.post(MCP, { bodyLimit: MAX_MCP_BODY_BYTES }, async (request, reply) => {
    checkOn()
    checkJson(request)
    const { body, headers, user, token, callerAddress: clientIp } = request
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const asked = { body, headers, user, token, clientIp, gone: gone.signal }
    const answer = await (await server()).serve(asked)
    if (Symbol.asyncIterator in answer) return sendEvents(streams, request, reply, answer)
    return reply.code(answer.status).send(answer.body)
  })
  for (const method of ['GET', 'DELETE'] as const)
    app.route({
      method,
      url: MCP,
      exposeHeadRoute: false,
      handler: (_, reply) => {
        checkOn()
        return reply.code(405).header('allow', 'POST').send(NOT_ALLOWED)
      },
    })
}

/** A page of another site cannot send this type without asking the gateway before. */
function checkJson({ headers }: FastifyRequest): void {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return
  throw refused('malformed-http/not-json')
}

function sendEvents(
  streams: EventStreams,
  request: FastifyRequest,
  reply: FastifyReply,
  events: McpEvents,
): FastifyReply {
  const source = { [Symbol.dispose]: () => undefined }
  return streams.send(request, reply, source, async function* () {
    // The client sees that its call has arrived.
    yield ': connected\n\n'
    for await (const event of events) yield `event: message\ndata: ${JSON.stringify(event)}\n\n`
  })
}
