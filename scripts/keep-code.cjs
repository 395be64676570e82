// For scripts/compile.mjs, by `node --require`: leaves V8's code of the compiled program in a file when a run ends.
const { writeFileSync } = require('node:fs')
const v8 = require('node:v8')
const vm = require('node:vm')

const file = process.env.KEEP_CODE
const { Script } = vm
const { setFlagsFromString } = v8
let program

vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options)
    if (!options?.filename?.endsWith('program.js')) return
    program = this
    // The code fits only the flags that it was made with, and a start loads it before this one is set.
    v8.setFlagsFromString = (flag) => (flag.startsWith('--semi-space') ? undefined : setFlagsFromString(flag))
  }
}
process.on('exit', (code) => {
  if (code === 0) writeFileSync(file, program.createCachedData())
})
