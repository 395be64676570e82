import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { OPERATIONS } from '../../../src/gateway/rest/resources.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}
/** A schema with everything in it, of which a walk looks at all members. */
type Member = Schema & Readonly<Record<string, unknown>>
interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
  readonly security?: readonly object[]
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

let gateway: RunningGateway
let document: Document
const published = parse(
  readFileSync(new URL('../../fixtures/openapi-runbook-exec.yaml', import.meta.url), 'utf8'),
) as Document

const get = (path: string) => fetch(new URL(path, gateway.gateway.http), { headers: { connection: 'close' } })

beforeAll(async () => {
  gateway = await RunningGateway.start()
  document = (await (await get('/docs/json')).json()) as Document
})
afterAll(() => gateway[Symbol.asyncDispose]())

const TIME = /(^at|_at|_date|^since|^time|^free_at|^next_run|^last_contact|^last_delivery|^next_attempt)$/

function* timesIn(value: unknown): Generator<[name: string, schema: Member]> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (TIME.test(name) && typeof member === 'object') yield [name, member as Member]
    yield* timesIn(member)
  }
}

describe('the OpenAPI document', () => {
  it('describes every route, and no other', () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    expect(routes.toSorted()).toEqual(Object.keys(OPERATIONS).toSorted())
  })

  it('has the published contract in it: parameters, fields, types, statuses', () => {
    const ours = document.paths['/api/plugins/runbooks/connections/{name}/exec']?.['post']
    const theirs = published.paths['/plugins/runbooks/connections/{name}/exec']?.['post']
    expect(ours?.parameters?.map(({ name, in: place, required }) => [name, place, required])).toEqual(
      theirs?.parameters?.map(({ name, in: place, required }) => [name, place, required]),
    )
    expect(missingFields(bodyOf(document, ours), bodyOf(published, theirs))).toEqual([])
    for (const [status, answer] of Object.entries(theirs?.responses ?? {})) {
      const own = schemaOf(document, ours?.responses[status]?.content)
      expect([status, missingFields(own, schemaOf(published, answer.content))]).toEqual([status, []])
    }
  })

  it('says of each time in an answer that it is one', () => {
    const answers = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ responses }) => Object.values(responses)),
    )
    const times = answers.flatMap((answer) => [...timesIn(answer)])
    expect(new Set(times.map(([name]) => name)).size).toBeGreaterThan(20)
    expect(times.filter(([, { type, format }]) => type === 'string' && format !== 'date-time')).toEqual([])
  })

  it('says which routes need no token, and only those need none', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const isPublic = methods['get']?.security?.length === 0
      if (methods['get'] === undefined) continue
      const answer = await get(path.replaceAll(/\{\w+\}/g, 'x'))
      await answer.arrayBuffer()
      expect([path, answer.status === 401]).toEqual([path, !isPublic])
    }
  })

  it('describes what a name in the path is answered with that is longer than any', async () => {
    const named = Object.keys(OPERATIONS).filter((name) => name.includes(':'))
    expect(named.length).toBeGreaterThan(20)
    for (const name of named) {
      const [method = '', path = ''] = name.split(' ')
      const url = path.replaceAll(/:\w+/g, 'x'.repeat(513))
      // Fails where the answer is not described.
      const { status, body } = await gateway.request(method, url)
      expect([name, status, body['code']]).toEqual([name, 404, 'endpoint-not-found'])
    }
  })

  it('stands where clients of hoop look for it, without a token', async () => {
    const answer = await get('/api/openapiv3.json')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ])
    expect(await answer.json()).toEqual(document)
  })

  it('is shown on a page that takes everything from the gateway and may be in no frame', async () => {
    const page = await get('/docs/')
    const text = await page.text()
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(text).not.toMatch(/<script>|https?:\/\//)
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, file = '']) => new URL(file, page.url),
    )
    expect(files.length).toBeGreaterThan(3)
    for (const file of files) {
      const answer = await get(file.pathname)
      await answer.arrayBuffer()
      expect([file.pathname, answer.status]).toEqual([file.pathname, 200])
    }
  })

  it('is given as YAML too, and a file of its page not twice to a browser that has it', async () => {
    expect(parse(await (await get('/docs/yaml')).text())).toEqual(document)
    const path = '/docs/static/swagger-ui.css'
    const first = await get(path)
    await first.arrayBuffer()
    const headers = { connection: 'close', 'if-none-match': first.headers.get('etag') ?? '' }
    expect((await fetch(new URL(path, gateway.gateway.http), { headers })).status).toBe(304)
  })

  it.each(['/docs/static/..%2f..%2fpackage.json', '/docs/static/none.js'])(
    'has nothing beside its page: %s',
    async (path) => {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 'endpoint-not-found' })
    },
  )
})

function bodyOf(of: Document, operation: Described | undefined): Schema {
  return schemaOf(of, operation?.requestBody?.content)
}

function schemaOf(of: Document, content: Readonly<Record<string, { readonly schema: Schema }>> = {}): Schema {
  const schema = content['application/json']?.schema ?? {}
  const [, name] = /^#\/components\/schemas\/(.+)$/.exec(schema.$ref ?? '') ?? []
  return name === undefined ? schema : (of.components.schemas[name] ?? {})
}

/** What a caller of the published contract would miss in ours. */
function missingFields(ours: Schema, theirs: Schema): string[] {
  const missing = Object.entries(theirs.properties ?? {}).flatMap(([name, field]) => {
    const own = ours.properties?.[name]
    const words = (field.enum ?? []).filter((word) => own?.enum?.includes(word) !== true)
    return own === undefined || own.type !== field.type || words.length > 0 ? [name] : []
  })
  const more = (ours.required ?? []).filter(
    (name) => theirs.required !== undefined && !theirs.required.includes(name),
  )
  return [...missing, ...more.map((name) => `${name} is required`)]
}
