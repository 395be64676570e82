import openapiTS, { astToString } from 'openapi-typescript'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

const folder = fileURLToPath(new URL('../../../web/src/api/', import.meta.url))

interface Document {
  readonly paths: Readonly<Record<string, object>>
}

/** The part of the description that web/src/api/types.ts names. */
function used({ paths, ...document }: Document): Document {
  const names = new Set(
    [...readFileSync(`${folder}types.ts`, 'utf8').matchAll(/paths\['([^']+)'\]/g)].map(([, name]) => name),
  )
  return { ...document, paths: Object.fromEntries(Object.entries(paths).filter(([path]) => names.has(path))) }
}

// After a change of the interface: npx vitest run test/web/api -u
it('the page has the types of what the gateway answers', async () => {
  await using gateway = await RunningGateway.start()
  const response = await fetch(`${gateway.gateway.http}/docs/json`, { headers: { connection: 'close' } })
  const document = used((await response.json()) as Document)
  const types = astToString(await openapiTS(JSON.stringify(document)))
  await expect(`// Made by test/web/api/schema.test.ts.\n${types}`).toMatchFileSnapshot(
    `${folder}schema.d.ts`,
  )
})
