import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as v from 'valibot'
import type { Contract } from '../../../src/contract/contract.ts'
import { option, plainOption } from '../../../src/contract/words.ts'
import { Reply, type Handlers } from '../../../src/gateway/handlers.ts'
import { requestRefusal } from '../../../src/gateway/rest/http-error.ts'
import { mount } from '../../../src/gateway/rest/mount.ts'

const word = v.string()
const OPEN = { tag: 'Users', summary: '', role: 'public', audit: 'none' } as const
const things = {
  list: {
    ...OPEN,
    method: 'GET',
    path: '/things',
    query: {
      state: option('only these'),
      plain: plainOption('any'),
      short: v.pipe(
        v.optional(v.pipe(v.string(), v.maxLength(3, 'short is too long'))),
        v.metadata({ status: 422 }),
      ),
    },
    answers: { 200: v.nullable(v.array(word)) },
  },
  remove: { ...OPEN, method: 'DELETE', path: '/things/:name', answers: { 204: v.strictObject({}) } },
  add: {
    ...OPEN,
    method: 'POST',
    path: '/things',
    body: v.object({
      name: v.pipe(v.string('must be a string'), v.regex(/^\w+$/, 'must be a word')),
      kind: v.nullish(v.string(), 'usual'),
    }),
    bodyReading: { unprocessable: ['name'] },
    answers: { 201: word, 202: word },
  },
  renew: {
    ...OPEN,
    method: 'PATCH',
    path: '/things/:name',
    body: v.object({ days: v.nullish(v.number('must be a number'), 7) }),
    bodyReading: { isOptional: true, most: 20 },
    answers: { 200: v.strictObject({ days: v.number() }) },
  },
  watch: { ...OPEN, method: 'GET', path: '/things/stream', type: 'text/plain', answers: { 200: word } },
} as const satisfies Contract

let app: FastifyInstance
let asked: unknown[]
beforeEach(() => {
  asked = []
  const handlers: Handlers<typeof things> = {
    list: ({ query }) => {
      asked.push(query)
      return query.state === 'none' ? null : ['a']
    },
    remove: ({ params }) => void asked.push(params.name),
    add: ({ body }) => {
      asked.push(body)
      if (body.kind === 'late') return new Reply(202, 'later', { headers: { 'x-at': 'noon' } })
      return JSON.stringify(body.name)
    },
    renew: ({ body: { days }, params, headers }) => {
      asked.push([params.name, headers['x-why']])
      return Promise.resolve({ days })
    },
  }
  app = fastify()
  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => {
    const refused = requestRefusal(error)
    return reply.code(refused?.status ?? error.statusCode ?? 500).send({ message: refused?.message })
  })
  mount({ app, withBodies: app }, things, handlers)
})
afterEach(() => app.close())

const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
  const sent = payload === undefined ? {} : { payload }
  const { statusCode, body, headers } = await app.inject({ method, url, headers: { 'x-why': 'so' }, ...sent })
  return { status: statusCode, body, headers }
}

describe('mount', () => {
  it('answers a plain value with the first status of the contract, 204 without content, and null as JSON', async () => {
    expect(await ask('GET', '/things')).toMatchObject({ status: 200, body: '["a"]' })
    const none = await ask('GET', '/things?state=none')
    expect([none.status, none.body, none.headers['content-type']]).toEqual([
      ...[200, 'null', 'application/json; charset=utf-8'],
    ])
    expect(await ask('POST', '/things', { name: 'a' })).toMatchObject({ status: 201, body: '"a"' })
    expect(await ask('DELETE', '/things/a%20b')).toMatchObject({ status: 204, body: '' })
    expect(asked.at(-1)).toBe('a b')
  })

  it('answers a reply with its own status and headers', async () => {
    const { status, headers } = await ask('POST', '/things', { name: 'a', kind: 'late' })
    expect([status, headers['x-at']]).toEqual([202, 'noon'])
  })

  it('repeats only a change that another program has locked out of the history', async () => {
    const repeated = new Set<string>()
    const site = fastify()
    site.decorate('patiently', async (work) => {
      await work()
      return work()
    })
    const change = {
      ...OPEN,
      audit: { action: 'update', type: 'users', verb: 'changed a user' },
      answers: { 200: word },
    } as const
    const contract = {
      change: { ...change, method: 'PUT', path: '/change' },
      view: {
        ...change,
        method: 'GET',
        path: '/view',
        audit: { action: 'view', type: 'users', verb: 'looked at a user' },
      },
      run: {
        ...change,
        method: 'PUT',
        path: '/run',
        audit: { action: 'execute', type: 'sessions', verb: 'ran a script' },
      },
    } as const satisfies Contract
    const handler = (name: string) => () => (repeated.has(name) ? 'again' : (repeated.add(name), 'once'))
    mount({ app: site, withBodies: site }, contract, {
      change: handler('change'),
      view: handler('view'),
      run: handler('run'),
    })
    const answers = [
      await site.inject({ method: 'PUT', url: '/change' }),
      await site.inject({ method: 'GET', url: '/view' }),
      await site.inject({ method: 'PUT', url: '/run' }),
    ]
    expect(answers.map(({ body }) => body)).toEqual(['again', 'once', 'once'])
    await site.close()
  })

  it('reads options by their shapes: an empty one is missing unless it is plain, and the first one counts', async () => {
    await ask('GET', '/things?state=&plain=&other=1')
    await ask('GET', '/things?state=a&state=b&short=abc')
    expect(asked).toEqual([{ plain: '' }, { state: 'a', short: 'abc' }])
    const refused = await ask('GET', '/things?short=abcd')
    expect([refused.status, refused.body]).toEqual([422, '{"message":"short is too long"}'])
  })

  it('reads bodies by their shapes, and refuses others before the handler is called', async () => {
    expect(await ask('POST', '/things', { name: 'a b' })).toMatchObject({
      ...{ status: 422, body: '{"message":"name: must be a word"}' },
    })
    const others = [{ name: 7 }, {}, { name: '' }, { name: 'a', kind: 7 }]
    for (const other of others) expect(await ask('POST', '/things', other)).toMatchObject({ status: 400 })
    expect(await ask('POST', '/things')).toMatchObject({ status: 400 })
    expect(asked).toEqual([])
    expect(await ask('PATCH', '/things/a')).toMatchObject({ status: 200, body: '{"days":7}' })
    expect(await ask('PATCH', '/things/a', { days: '7' })).toMatchObject({ status: 400 })
    expect(await ask('PATCH', '/things/a', { days: 123_456_789_012 })).toMatchObject({ status: 413 })
    expect(asked).toEqual([['a', 'so']])
  })

  it('adds no route for what answers with something else than JSON', async () => {
    expect((await ask('GET', '/things/stream')).status).toBe(404)
  })
})
