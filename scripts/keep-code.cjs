// For scripts/compile.mjs, by `node --require`: when a run ends it leaves V8's code of its pack in a file, or, where there
// is no pack yet, the names of the chunks that it has loaded.
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
