#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'

// This code is in one file, because loading another file takes most of a millisecond.

// On SIGUSR1, Node opens its debugger to every user of this machine, and any script of a runbook can send it.
process.on('SIGUSR1', () => undefined)

/**
 * Folder of the chunks and packs that `scripts/compile.mjs` builds from the program and its packages. The
 * path is made without `node:path`, and files are read as UTF-8: this saves each command a millisecond.
 */
const folder = `${__dirname}/compiled/program`

/** Maps a command to the pack with its chunks. Commands without an entry use `OTHERS`. */
const PACKS: Readonly<Record<string, string>> = {
  ...{ start: 'start', gateway: 'gateway', dev: 'gateway' },
  ...{ exec: 'exec', connect: 'exec', run: 'run', version: 'version' },
  ...{ sessions: 'sessions', reviews: 'sessions', connections: 'sessions', agents: 'sessions' },
}
const OTHERS = 'help'
const ENTRY = 'main.js'

interface Program {
  readonly main: () => Promise<void>
}
/** The exports of a pack. The function `chunk` returns the exports of one chunk. */
interface Pack {
  readonly chunk?: (name: string) => object | undefined
}
type Chunk = (exports: object, require: (id: string) => unknown, ...scope: readonly unknown[]) => void

/**
 * Loads the program from its command's pack, with the code that V8 made at build time. A Node of another
 * version or with other V8 flags compiles the pack as usual. A chunk outside the pack has its own file.
 * Returns undefined for a build without packs.
 */
function compiledProgram(word: string | undefined): Program | undefined {
  const name = (Object.hasOwn(PACKS, word ?? '') ? PACKS[word ?? ''] : undefined) ?? OTHERS
  const file = `${folder}/${ENTRY}`
  const loaded = new Map<string, object>()

  function requireFrom(id: string): unknown {
    if (id.startsWith('./')) return load(id.slice('./'.length))
    // `node:module` takes most of a millisecond to load, so it is loaded only for packages.
    if (!id.startsWith('node:'))
      return process.getBuiltinModule('node:module').createRequire(file)(id) as unknown
    return process.getBuiltinModule(id)
  }

  function load(chunk: string): object | undefined {
    const present = loaded.get(chunk)
    if (present !== undefined) return present
    const exports = pack?.chunk?.(chunk) ?? run(chunk)
    // A chunk is kept only after it has run, because a chunk that throws must throw again at the next call.
    // Chunks do not need each other in a circle.
    if (exports !== undefined) loaded.set(chunk, exports)
    return exports
  }

  function run(name: string, cachedData?: Buffer): object | undefined {
    const make = scriptOf(name, cachedData) as Chunk | undefined
    if (make === undefined) return undefined
    const module = { exports: {} }
    make(module.exports, requireFrom, module, file, folder)
    return module.exports
  }

  const pack = run(
    `${name}.js`,
    ifThere(() => readFileSync(`${folder}/${name}.code`)),
  ) as Pack | undefined

  return load(ENTRY) as Program | undefined
}

function scriptOf(name: string, cachedData?: Buffer): unknown {
  const source = ifThere(() => readFileSync(`${folder}/${name}`, 'utf8'))
  if (source === undefined) return undefined
  // V8 accepts cached code if the source has the same length. So the build removes the cached code before it
  // changes the source.
  const script = new Script(source, {
    filename: `${folder}/${name}`,
    ...(cachedData !== undefined && { cachedData }),
  })
  return script.runInThisContext()
}

function ifThere<Content>(read: () => Content): Content | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const compiled = compiledProgram(process.argv[2])
void (compiled?.main() ?? import('./commands/program/gateway-product.ts').then(({ main }) => main()))
