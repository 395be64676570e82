// Loaded by scripts/compile.mjs with `node --require`. When the process ends, writes V8's compiled code of
// its pack to a file. If there is no pack yet, writes the names of the loaded chunks.
const { writeFileSync } = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')

const pack = process.env.KEEP_CODE
const { Script } = vm
const chunks = []
let packed

vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options)
    const { filename = '' } = options ?? {}
    if (path.dirname(filename) !== path.dirname(pack)) return
    if (filename === `${pack}.js`) packed = this
    else chunks.push(path.basename(filename))
  }
}
process.on('exit', () => {
  if (packed === undefined) writeFileSync(`${pack}.list`, chunks.join('\n'))
  else writeFileSync(`${pack}.code`, packed.createCachedData())
})
