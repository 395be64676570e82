import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test as base } from 'vitest'
import { Workshop, commandLines, git } from './workshop.ts'

/** Nothing in Node makes a certificate. */
const OPENSSL = process.env['OPENSSL'] ?? 'openssl'
const test = base.skipIf(spawnSync(OPENSSL, ['version']).status !== 0)

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** An https server with a certificate made for it; closed with the test. */
class Host implements AsyncDisposable {
  readonly certificate: string
  readonly #server: Server

  constructor(workshop: Workshop, name: string, answer: Answer) {
    this.certificate = join(workshop.folder, `${name}.pem`)
    const key = join(workshop.folder, `${name}.key`)
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-keyout', key, '-out', this.certificate]
    execFileSync(OPENSSL, [...made, ...subject], { stdio: 'ignore' })
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(this.certificate) }, answer)
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** git's own smart-HTTP server, for who has the password. */
function gitBackend(workshop: Workshop, authorization: string | undefined): Answer {
  return (request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="books"' }).end('no: hunter2 or hunt%40er2?')
      return
    }
    void runBackend(workshop, request, response)
  }
}

async function runBackend(
  workshop: Workshop,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', 'https://localhost')
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    GIT_PROJECT_ROOT: workshop.folder,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: url.pathname,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'],
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  }
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  request.pipe(backend.stdin)
  const output = Buffer.concat((await backend.stdout.toArray()) as Buffer[])
  const head = output.indexOf('\r\n\r\n')
  for (const line of output.toString('latin1', 0, head).split('\r\n')) {
    const [name = '', value = ''] = line.split(': ')
    if (name === 'Status') response.statusCode = Number.parseInt(value)
    else response.setHeader(name, value)
  }
  response.end(output.subarray(head + 4))
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function hasCleanFiles(folder: string, secret: string): boolean {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return files.every((file) => !statSync(file).isFile() || !readFileSync(file).includes(secret))
}

test('a password of the URL reaches the host, but no argv, no file and no log', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  git(workshop.origin, 'update-server-info')
  const seen: string[] = []
  const backend = gitBackend(workshop, basic('me', 'hunt@er2'))
  await using host = new Host(workshop, 'host', (request, response) => {
    seen.push(...commandLines())
    backend(request, response)
  })
  const port = await host.listen()
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: host.certificate }
  const url = `https://me:hunt%40er2@127.0.0.1:${port}/origin/.git`
  expect((await workshop.open({ url, env }).readFile('a.sql')).text).toBe('1')
  expect(seen.some((line) => line.includes(`https://127.0.0.1:${port}/origin/.git`))).toBe(true)
  expect(seen.filter((line) => /hunt(@|%40)er2/.test(line))).toEqual([])
  expect(hasCleanFiles(workshop.state, 'er2')).toBe(true)
  expect(JSON.stringify(workshop.lines)).not.toContain('er2')
})

test('a token without a password is sent as the user', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  await using host = new Host(workshop, 'host', gitBackend(workshop, basic('ghp_token', '')))
  const url = `https://ghp_token@127.0.0.1:${await host.listen()}/origin/.git`
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: host.certificate }
  expect((await workshop.open({ url, env }).readFile('a.sql')).text).toBe('1')
})

test("the user's own credential helper is not told a password of ours, but asked when we have none", async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const calls = join(workshop.folder, 'calls')
  const answer = `test $1 = get && printf "username=me\\npassword=right\\n"`
  const helper = join(workshop.folder, 'helper')
  writeFileSync(helper, `#!/bin/sh\necho $1 >> ${calls}\n${answer}\n`, { mode: 0o755 })
  writeFileSync(join(workshop.folder, '.gitconfig'), `[credential]\n\thelper = ${helper}\n`)
  await using host = new Host(workshop, 'host', gitBackend(workshop, basic('me', 'right')))
  const port = await host.listen()
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: host.certificate, HOME: workshop.folder }
  const read = (name: string, userinfo: string) =>
    workshop.open({ name, url: `https://${userinfo}127.0.0.1:${port}/origin/.git`, env }).readFile('a.sql')
  expect((await read('ours', 'me:right@')).text).toBe('1')
  expect(existsSync(calls)).toBe(false)
  expect((await read('none', '')).text).toBe('1')
  expect((await read('user', 'me@')).text).toBe('1')
  expect(readFileSync(calls, 'utf8')).toBe('get\nstore\nget\nstore\n')
})

test("a fetch runs no hook of the user's own configuration", async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const ran = join(workshop.folder, 'ran')
  const hook = `#!/bin/sh\necho $1 >> ${ran}\n`
  writeFileSync(join(workshop.folder, 'reference-transaction'), hook, { mode: 0o755 })
  writeFileSync(join(workshop.folder, '.gitconfig'), `[core]\n\thooksPath = ${workshop.folder}\n`)
  await using host = new Host(workshop, 'host', gitBackend(workshop, undefined))
  const url = `https://127.0.0.1:${await host.listen()}/origin/.git`
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: host.certificate, HOME: workshop.folder }
  expect((await workshop.open({ url, env }).readFile('a.sql')).text).toBe('1')
  expect(existsSync(ran)).toBe(false)
})

test('a wrong password is an error without the password, and nobody is asked for another', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  await using host = new Host(workshop, 'host', gitBackend(workshop, basic('me', 'right')))
  const port = await host.listen()
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: host.certificate }
  for (const userinfo of ['me:hunter2@', 'hunter2@', 'me:hunt%40er2@', '']) {
    const repository = workshop.open({
      name: 'b',
      url: `https://${userinfo}127.0.0.1:${port}/origin/.git`,
      env,
    })
    await expect(repository.readFile('a.sql')).rejects.toThrow(
      /^failed fetching runbook repository b: (?!.*hunt)/,
    )
  }
})

test('a redirect to another host does not take the password along', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const seen: (string | undefined)[] = []
  const backend = gitBackend(workshop, basic('me', 'hunter2'))
  await using other = new Host(workshop, 'other', (request, response) => {
    seen.push(request.headers.authorization)
    backend(request, response)
  })
  const otherPort = await other.listen()
  await using host = new Host(workshop, 'host', (request, response) => {
    response.writeHead(302, { location: `https://127.0.0.1:${otherPort}${request.url ?? ''}` }).end()
  })
  const port = await host.listen()
  const bundle = join(workshop.folder, 'bundle.pem')
  execFileSync('sh', ['-c', `cat "${host.certificate}" "${other.certificate}" > "${bundle}"`])
  const env = { PATH: process.env['PATH'], GIT_SSL_CAINFO: bundle }
  const repository = workshop.open({ url: `https://me:hunter2@127.0.0.1:${port}/origin/.git`, env })
  await expect(repository.readFile('a.sql')).rejects.toMatchObject({ code: 'repository-failed' })
  expect(seen).toEqual([undefined])
})
