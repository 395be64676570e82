import { readFileSync } from 'node:fs'
import { packageFiles } from '../basics/files/package-files.ts'

export const { version } = JSON.parse(readFileSync(packageFiles.manifest, 'utf8')) as {
  readonly version: string
}
