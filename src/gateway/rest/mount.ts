import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as v from 'valibot'
import { usualStatus, type Contract, type ContractOperation, type QueryOf } from '../../contract/contract.ts'
import type { HttpStatus } from '../../contract/statuses.ts'
import { Reply, type Asked, type Handlers } from '../handlers.ts'
import { refused } from '../refusals/request-refused.ts'
import { isChange } from './audited-calls.ts'
import { readExecBody } from './body.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** `History.patiently`. A change makes one write, or repeats harmlessly what it did before it. */
    patiently?: <T>(work: () => T | Promise<T>) => Promise<T>
  }
}

type AnyAsked = Omit<Asked<ContractOperation>, 'body'> & { readonly body: unknown }
type Handler = (asked: AnyAsked) => unknown

/**
 * Only routes of `withBodies` read a body. To the other routes, hoop's command line sends `application/json`
 * without a body, which the parser of `withBodies` refuses.
 */
export interface Scopes {
  readonly app: FastifyInstance
  readonly withBodies: FastifyInstance
}

/** Adds a route for each operation that has a handler. */
export function mount<C extends Contract>(scopes: Scopes, contract: C, handlers: Handlers<C>): void {
  // The compiler has checked each pair. A loop over names cannot express these types.
  const byName = handlers as Readonly<Record<string, Handler>>
  for (const [name, operation] of Object.entries(contract)) {
    const handler = byName[name]
    if (handler === undefined) continue
    const { method, path: url, bodyReading: { most: bodyLimit } = {} } = operation
    const app = operation.body === undefined ? scopes.app : scopes.withBodies
    app.route({
      method,
      url,
      ...(bodyLimit !== undefined && { bodyLimit }),
      handler: async (request, reply) => {
        const run = () => handler(askedBy(operation, request))
        // A new session waits in its own room, which knows what may be repeated.
        const patiently = isChange(operation) ? app.patiently : undefined
        const answer = await (patiently === undefined ? run() : patiently(run))
        return answered(operation, answer, request, reply)
      },
    })
  }
}

/** @throws RequestRefused with the problem of the body or of an option */
function askedBy({ query, body, bodyReading = {} }: ContractOperation, request: FastifyRequest): AnyAsked {
  const { isOptional = false, unprocessable = [] } = bodyReading
  const sent = isOptional ? (request.body ?? {}) : request.body
  const statuses = Object.fromEntries(unprocessable.map((field) => [field, 422 as const]))
  return {
    user: request.user,
    token: request.token,
    params: request.params as Readonly<Record<string, string>>,
    query: query === undefined ? {} : readOptions(query, request.query as Query),
    // The body is checked only when the handler reads it. The handler can thus answer its other checks first.
    get body() {
      return body === undefined ? undefined : readExecBody(body, sent, statuses)
    },
    headers: request.headers,
    caller: request.callerAddress,
    hostname: request.hostname,
  }
}

/** Checks the options of routes that are mounted by hand. @throws RequestRefused */
export function readOptions<Q extends NonNullable<ContractOperation['query']>>(
  shapes: Q,
  query: Query,
): QueryOf<{ readonly query: Q } & ContractOperation> {
  const read = Object.entries(shapes).map(([name, shape]) => {
    const result = v.safeParse(shape, firstOption(query, name), { abortEarly: true })
    if (result.success) return [name, result.output]
    const { status } = v.getMetadata(shape) as { readonly status?: HttpStatus }
    throw refused(status === 422 ? 'invalid-request/field-422' : 'invalid-request/field', {
      problem: result.issues[0].message,
    })
  })
  return Object.fromEntries(read) as QueryOf<{ readonly query: Q } & ContractOperation>
}

function answered(
  operation: ContractOperation,
  answer: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, body, headers, actor } = isReply(answer)
    ? answer
    : new Reply(usualStatus(operation) ?? 200, answer)
  if (actor !== undefined) request.auditedActor = actor
  void reply.code(status).headers(headers)
  if (status === 204) return reply.send()
  // Without this line, fastify would send `null` without a content type.
  if (body === null) return reply.type('application/json; charset=utf-8').send('null')
  return reply.send(body)
}

function isReply(answer: unknown): answer is Reply<number, unknown> {
  return answer instanceof Reply
}

/** Options as fastify reads them: a text, or a list of texts. */
export type Query = Readonly<Record<string, unknown>>

/** The first value counts if an option is given twice. */
export function firstOption(query: Query, option: string): string | undefined {
  const given = query[option]
  const [value] = Array.isArray(given) ? (given as unknown[]) : [given]
  return typeof value === 'string' ? value : undefined
}
