// `npm run static`: all checks that start nothing of the program, and the build. Most tools use one core for most of
// their time, so there are two lanes beside each other. A step's output comes when the step has ended.
import { spawn } from 'node:child_process'

const LANES = [['lint'], ['types', 'format', 'layers', 'unused', 'duplicates', 'build']]

const failed = (await Promise.all(LANES.map(drive))).flat()
if (failed.length > 0) console.error(`static: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Runs the scripts of package.json one after the other, to the last one, and gives those that failed. */
async function drive(lane) {
  const failed = []
  for (const script of lane) if ((await run(script)) !== 0) failed.push(script)
  return failed
}

async function run(script) {
  const begin = Date.now()
  // The build is made if it is not there yet.
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
