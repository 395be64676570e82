import { STATUS_CODES, type OutgoingHttpHeaders } from 'node:http'
import swagger, { type StaticDocumentSpec } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { toJsonSchema } from '@valibot/to-json-schema'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import * as v from 'valibot'
import { retryRefusal } from '../../contract/batch-requests.ts'
import { choicesRefusal } from '../../contract/choices.ts'
import {
  callersOf,
  errorStatuses,
  SCOPES,
  type Operation,
  type OperationTable,
} from '../../contract/contract.ts'
import { gatewayContract } from '../../contract/gateway.ts'
import { text } from '../../contract/words.ts'
import { GATEWAY_CODES } from '../../wire/gateway-codes.ts'

/**
 * Allows scripts, styles and requests only from this origin. Other pages cannot show this page in a frame.
 */
const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

/**
 * Most characters of a name in a path. A request with a longer name is answered with `endpoint-not-found`.
 */
export const MAX_NAME_CHARACTERS = 512
const NAME = { type: 'string', maxLength: MAX_NAME_CHARACTERS }

const ERROR = { $ref: '#/components/schemas/Error' }

/**
 * Address of the page about the REST interface. `/docs/json` and `/docs/yaml` are the OpenAPI document. All
 * callers get the same page and the same document.
 */
export const DOCS = '/docs'

/**
 * Describes the routes that are added later. Requests are checked against these shapes, but answers are not.
 */
export function describeRoutes(app: FastifyInstance, operations: OperationTable, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'runbook-agent gateway', version },
      components: {
        schemas: { Error: answerSchema(errorAnswer) },
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          key: { type: 'apiKey', in: 'header', name: 'Api-Key' },
          page: { type: 'apiKey', in: 'cookie', name: 'runbook_sign_in_PORT' },
        },
      },
      security: [{ bearer: [] }, { key: [] }, { page: [] }],
    },
    transform: ({ url, route }) => {
      const operation = operations[`${String(route.method)} ${url}`]
      return { url, schema: operation === undefined ? { hide: true } : described(operation, url) }
    },
  })
  void app.register((page, _, done) => {
    serveDocs(page)
    done()
  })
}

/** A file of the page. All callers get the same bytes. */
interface PageFile {
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** Names of the page's files. Each file has one name only, so callers cannot fill the memory with copies. */
const FILE = /^\/docs(\/(json|yaml|static\/[\w.-]+)?)?$/

/**
 * Loads the page at its first request, because loading takes a sixth of the start time and few people open
 * the page. Each file is made once: 400 unread copies of the document filled 600 MB.
 */
function serveDocs(app: FastifyInstance): void {
  let opened: Promise<FastifyInstance> | undefined
  const files = new Map<string, Promise<PageFile | undefined>>()
  const fileAt = async (url: string): Promise<PageFile | undefined> => {
    const name = url.split('?')[0] ?? ''
    if (!FILE.test(name)) return undefined
    const made = files.get(name) ?? (opened ??= openDocs(app)).then((page) => pageFile(page, name))
    files.set(name, made)
    try {
      const file = await made
      if (file === undefined) files.delete(name)
      return file
    } catch (error) {
      opened = undefined
      files.delete(name)
      throw error
    }
  }
  const send = async ({ headers }: FastifyRequest, reply: FastifyReply, url: string) => {
    const file = await fileAt(url)
    if (file === undefined) {
      reply.callNotFound()
      return reply
    }
    const { etag } = file.headers
    const known = headers['if-none-match']?.split(/\s*,\s*/) ?? []
    void reply.headers(file.headers)
    return etag !== undefined && known.includes(etag) ? reply.code(304).send() : reply.send(file.body)
  }
  for (const path of ['', '/', '/json', '/yaml', '/static/*'])
    app.get(`${DOCS}${path}`, { schema: { hide: true } }, (request, reply) =>
      send(request, reply, request.url),
    )
  app.get(gatewayContract.document.path, (request, reply) => send(request, reply, `${DOCS}/json`))
}

/** @returns undefined if there is no such file */
async function pageFile(page: FastifyInstance, url: string): Promise<PageFile | undefined> {
  const { statusCode, headers, rawPayload: body } = await page.inject({ url })
  if (statusCode >= 500) throw new Error(`cannot show the page about the interface: ${body.toString()}`)
  if (statusCode >= 400) return undefined
  for (const name of OF_CONNECTION) Reflect.deleteProperty(headers, name)
  return { headers, body }
}

/** Headers about the connection. They are not copied, because the answer goes over another connection. */
const OF_CONNECTION = ['connection', 'content-length', 'date', 'transfer-encoding']

async function openDocs(described: FastifyInstance): Promise<FastifyInstance> {
  const page = fastify()
  // The type also allows OpenAPI 3.1, but our document is 3.0.3.
  const specification = { document: described.swagger() as StaticDocumentSpec['document'] }
  await page.register(swagger, { mode: 'static', specification })
  await page.register(swaggerUi, {
    routePrefix: DOCS,
    staticCSP: PAGE_POLICY,
    uiConfig: { validatorUrl: 'none' },
  })
  return page
}

/** Describes the operation in the plugin's form. */
function described(operation: Operation, url: string): object {
  const { tag, summary, body, query = {}, answers, type = 'application/json' } = operation
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  return {
    tags: [tag],
    summary,
    description: descriptionOf(operation),
    'x-role': operation.role,
    ...(names.length > 0 && {
      params: {
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, NAME])) as object,
        required: names,
      },
    }),
    ...(Object.keys(query).length > 0 && { querystring: options(query) }),
    ...(body !== undefined && { body: bodySchema(body) }),
    ...(operation.role === 'public' && { security: [] }),
    ...(operation.byCookie === 'refused' && { security: [{ bearer: [] }, { key: [] }] }),
    response: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          answered(Number(status), type, answerSchema(answer)),
        ]),
      ),
      ...Object.fromEntries(
        errorStatuses(operation).map((status) => [status, answered(status, 'application/json', ERROR)]),
      ),
    },
  }
}

function descriptionOf(operation: Operation): string {
  const { description, scope } = operation
  const callers = `For ${callersOf(operation)}${scope === undefined ? '' : ` (${SCOPES[scope]})`}.`
  return description === undefined ? callers : `${description} ${callers}`
}

function options(query: Readonly<Record<string, string>>): object {
  const described = Object.entries(query).map(([name, description]) => [
    name,
    { type: 'string', description },
  ])
  return { type: 'object', properties: Object.fromEntries(described) as object }
}

/** Describes the types after all checks, because the checks accept only values of these types. */
function bodySchema(body: v.GenericSchema): object {
  return toJsonSchema(body, { typeMode: 'output', errorMode: 'ignore', target: 'openapi-3.0' })
}

function answered(status: number, type: string, schema: object): object {
  const description = STATUS_CODES[status] ?? ''
  if (status === 204) return { description, type: 'null' }
  return { description, content: { [type]: { schema } } }
}

/**
 * Describes an answer. The description allows other fields, because newer gateways may send more. In tests
 * the shapes are strict.
 */
function answerSchema(answer: v.GenericSchema): object {
  return toJsonSchema(answer, {
    errorMode: 'ignore',
    target: 'openapi-3.0',
    overrideSchema: ({ jsonSchema }) => {
      const open = { ...jsonSchema }
      if (open.additionalProperties === false) delete open.additionalProperties
      return open
    },
  })
}

export const errorAnswer = v.strictObject({
  message: text,
  code: v.picklist(GATEWAY_CODES),
  status: v.optional(v.pipe(v.number(), v.integer(), v.description('only in answers about downloads'))),
  refusals: v.optional(
    v.pipe(
      v.array(v.strictObject({ connection: text, code: v.picklist(GATEWAY_CODES), message: text })),
      v.description('only in answers about batches'),
    ),
  ),
  ...retryRefusal,
  ...choicesRefusal,
})
