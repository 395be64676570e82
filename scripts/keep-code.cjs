// For scripts/compile.mjs, by `node --require`: leaves V8's code of the compiled program in a file when a run ends.
const { writeFileSync } = require('node:fs')
const vm = require('node:vm')

const file = process.env.KEEP_CODE
const { Script } = vm
let program

vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options)
    if (options?.filename?.endsWith('program.js')) program = this
  }
}
process.on('exit', (code) => {
  if (code === 0) writeFileSync(file, program.createCachedData())
})
