// `npm run static` runs all checks that do not start the program, and the build. Most tools use only one
// core, so two lanes run in parallel. A step's output is printed when the step has ended.
import { spawn } from 'node:child_process'

const LANES = [['lint'], ['types', 'format', 'layers', 'unused', 'duplicates', 'build']]

const failed = (await Promise.all(LANES.map(drive))).flat()
if (failed.length > 0) console.error(`static: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/**
 * Runs these scripts of package.json one after the other, also after a failure. Returns the scripts that
 * failed.
 */
async function drive(lane) {
  const failed = []
  for (const script of lane) if ((await run(script)) !== 0) failed.push(script)
  return failed
}

async function run(script) {
  const begin = Date.now()
  // Builds only if the build is not up to date.
  const command = script === 'build' ? ['node', 'scripts/setup.mjs'] : ['npm', 'run', '--silent', script]
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (said += text))
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      said += error.message
      resolve(1)
    })
    child.once('close', resolve)
  })
  console.log(
    `-- ${script}: ${code === 0 ? 'good' : 'FAILED'} after ${Math.round((Date.now() - begin) / 1000)} s`,
  )
  if (said !== '') console.log(said.trimEnd())
  return code
}
