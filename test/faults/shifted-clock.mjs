// Loaded into gateways and agents of the rig before the program (`node --import`): Date is ahead of the machine's clock,
// or behind it, by the milliseconds that stand in the file $FAULTS_CLOCK. The machine's own clock is left alone.
import { readFileSync } from 'node:fs'

const LOOK_MS = 50
const file = process.env['FAULTS_CLOCK']
const RealDate = Date
let shift = 0

function look() {
  try {
    shift = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    // No descriptor left, or no file yet: the shift stays.
  }
}

const now = () => RealDate.now() + shift

globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, self) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, self),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})

if (file !== undefined) {
  look()
  globalThis.setInterval(look, LOOK_MS).unref()
}
