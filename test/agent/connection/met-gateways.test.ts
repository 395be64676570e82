import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MetGateways } from '../../../src/agent/connection/met-gateways.ts'
import { MET_EPOCHS, type Epoch } from '../../../src/wire/epochs.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { waitFor } from '../../support/wait.ts'

let folder: string
let warnings: string[]
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'met-'))
  warnings = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const ignore = () => undefined
const log = {
  debug: ignore,
  info: ignore,
  error: ignore,
  warn: (_: object, text: string) => void warnings.push(text),
}
const open = (at = folder) => new MetGateways(at, log)
const hex = (number: number) => number.toString(16).padStart(16, '0')
const epoch = (state: number, id: number, takenOverAt = 0): Epoch => ({
  state: hex(state),
  id: hex(id),
  takenOverAt,
})

describe('the gateways that an agent has met', () => {
  it('are known after a restart, one epoch for each state, in a private file', () => {
    const met = open()
    expect([met.epochs, readdirSync(folder)]).toEqual([[], []])
    for (const one of [epoch(1, 1), epoch(2, 1, 7), epoch(1, 2), epoch(1, 2)]) met.note(one)
    expect(open().epochs).toEqual([epoch(2, 1, 7), epoch(1, 2)])
    expect(readdirSync(folder)).toEqual(['gateways'])
    expect(statSync(path.join(folder, 'gateways')).mode & 0o777).toBe(0o600)
    expect(warnings).toEqual([])
  })

  it('are kept when several agents share the folder, and the oldest of more than sixteen are left out', () => {
    const [one, other] = [open(), open()]
    one.note(epoch(1, 1))
    other.note(epoch(2, 1))
    other.note(epoch(1, 2))
    expect(open().epochs).toEqual([epoch(2, 1), epoch(1, 2)])
    for (let state = 3; state <= 17; state++) one.note(epoch(state, 1))
    expect(open().epochs.map(({ state }) => state)).toEqual(
      [1, ...Array.from({ length: 15 }, (_, at) => at + 3)].map(hex),
    )
  })

  it('are warned of when the file cannot be read or written', () => {
    writeFileSync(path.join(folder, 'gateways'), 'x'.repeat(5000))
    expect(open().epochs).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('cannot read which gateways this agent has met')])
    const foreign = path.join(folder, 'open')
    const met = open(foreign)
    mkdirOpen(foreign)
    met.note(epoch(1, 1))
    expect(met.epochs).toEqual([epoch(1, 1)])
    expect(warnings[1]).toContain('cannot store which gateway this agent has met')
  })

  it('leave no other file behind when theirs cannot be replaced', () => {
    mkdirSync(path.join(folder, 'gateways'))
    open().note(epoch(1, 1))
    expect(warnings.at(-1)).toContain('cannot store which gateway this agent has met')
    expect(readdirSync(folder)).toEqual(['gateways'])
  })
})

function mkdirOpen(at: string): void {
  open(at).note(epoch(9, 9))
  rmSync(path.join(at, 'gateways'))
  chmodSync(at, 0o777)
}

it("an agent stores the epoch of its gateway before it serves, and sends it with its next stream; to hoop's gateway it sends nothing", async () => {
  await using gateway = await ScriptedGateway.start()
  const connect = async () => {
    await using agent = await RunningAgent.start(gateway.key(), { life: { met: open() } })
    await agent.serving()
    return readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'))
  }
  expect(await connect()).toEqual([])
  const text = `${hex(1)}.0.${hex(2)}`
  gateway.onStream = (stream) =>
    stream.write({
      type: 'AgentGatewayConnectOK',
      spec: { 'gateway.epoch': Buffer.from(text) },
      payload: Buffer.alloc(0),
    })
  expect(await connect()).toEqual([`${text}\n`])
  gateway.onStream = (stream) => gateway.accept(stream)
  await connect()
  await waitFor(() => gateway.metadata.length === 3)
  expect(gateway.metadata.map((metadata) => metadata[MET_EPOCHS])).toEqual([undefined, undefined, text])
})
