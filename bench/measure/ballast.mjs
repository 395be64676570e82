// Loaded into an agent by `node --import` to measure the cost of a large heap. Keeps BALLAST_MB of memory in use.
import { Buffer } from 'node:buffer'
import process from 'node:process'

globalThis.ballast = Buffer.alloc(Number(process.env.BALLAST_MB ?? 0) * 1024 ** 2, 1)
