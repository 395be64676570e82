// `npm start [-- FLAGS OF dev]` prepares the checkout. Then this process becomes `dist/main.js dev`.
import { createRequire } from 'node:module'
import path from 'node:path'
import { prepare, root } from './prepare.mjs'

await prepare(process.argv.slice(2))
const main = path.join(root, 'dist/main.js')
process.argv.splice(1, 1, main, 'dev')
createRequire(import.meta.url)(main)
