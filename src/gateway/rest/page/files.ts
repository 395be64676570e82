import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { packageFiles } from '../../../basics/files/package-files.ts'

/** All these addresses serve the same file, and the page chooses the view. */
const VIEWS = [
  ...[
    '/',
    '/sign-in',
    '/runbooks',
    '/runbooks/*',
    '/run',
    '/sessions',
    '/sessions/:id',
    '/sessions/:a/diff/:b',
  ],
  ...['/approvals', '/approvals/:id', '/connections', '/connections/:name/terminal'],
  ...[
    '/batches',
    '/batches/:id',
    '/schedules',
    '/schedules/new',
    '/agents',
    '/access',
    '/audit',
    '/settings',
  ],
  ...['/users', '/users/:name', '/tokens', '/machines'],
]
const ASSETS = '/assets/*'

/** Allows files only from this origin, and nothing inline. Other pages cannot show this page in a frame. */
const POLICY = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'",
  "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  vary: 'accept-encoding',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * Tells whether the URL is the page or one of its files. These are the same for all callers and contain no
 * data.
 */
export function isPageRoute(url: string): boolean {
  return url === ASSETS || VIEWS.includes(url)
}

/** Below these paths, an unknown address is answered in JSON and not with the page. */
const NO_VIEWS = /^\/(api|docs|assets)(\/|$)/

/**
 * Tells whether a browser has opened an unknown address. The page then shows a message with a link to its
 * start.
 */
export function isMistyped({ is404, method, url, headers }: FastifyRequest): boolean {
  const [pathname = ''] = url.split('?')
  if (!is404 || method !== 'GET' || NO_VIEWS.test(pathname)) return false
  return headers['sec-fetch-mode'] === 'navigate' || /\btext\/html\b/.test(headers.accept ?? '')
}

/** Sends the page with status 404. The page notices that it has no view for the address. */
export async function sendMistyped(reply: FastifyReply): Promise<FastifyReply> {
  const page = await readFile(path.join(packageFiles.web, 'index.html'))
  const headers = { ...HEADERS, 'cache-control': 'no-cache' }
  return reply.code(404).headers(headers).type('text/html; charset=utf-8').send(page)
}

/**
 * Serves `index.html` and the files to which it links. The names of these files contain a hash of their
 * content.
 */
export function pageRoutes(app: FastifyInstance): void {
  void app.register(async (page) => {
    page.addHook('onRequest', (_, reply, done) => {
      void reply.headers(HEADERS)
      done()
    })
    await page.register(fastifyStatic, {
      root: packageFiles.web,
      prefix: '/',
      serve: false,
      preCompressed: true,
      acceptRanges: false,
    })
    for (const view of VIEWS)
      page.get(view, (_, reply) =>
        // Browsers ask each time whether this file has changed. An old file would link to files that no
        // longer exist.
        reply.sendFile('index.html', { cacheControl: false }).header('cache-control', 'no-cache'),
      )
    page.get<{ Params: { '*': string } }>(ASSETS, ({ params }, reply) =>
      reply.sendFile(`assets/${params['*']}`, { maxAge: '1y', immutable: true }),
    )
  })
}
