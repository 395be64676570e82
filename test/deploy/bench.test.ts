import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// Nobody runs benchmarks every day: without this, one that does not start any more is noticed when it is needed.

const folder = fileURLToPath(new URL('../../bench', import.meta.url))
it('benchmarks import what there is', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.mjs'),
  )
  const imports = files.flatMap((file) =>
    [...readFileSync(path.join(folder, file), 'utf8').matchAll(/ from '(\.[^']+)'/g)].map(([, to = '']) =>
      path.resolve(folder, path.dirname(file), to),
    ),
  )
  expect(imports.length).toBeGreaterThan(20)
  expect(imports.filter((file) => !existsSync(file))).toEqual([])
})
