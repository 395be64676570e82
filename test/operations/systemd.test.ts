import { describe, expect, test } from 'vitest'
import { Systemd, takeSystemdEnvironment } from '../../src/operations/systemd.ts'
import { agentLife, type Status } from '../../src/operations/status.ts'
import { NotifySocket } from '../../src/runtime/linux/notify-socket.ts'
import { block } from '../support/machine/block.ts'
import { Logbook } from '../support/logbook.ts'
import { NotifyListener } from '../support/sites/notify-listener.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'
import { found, waitFor } from '../support/wait.ts'

/** An agent under something that listens as systemd does. */
class Service implements Disposable {
  readonly listener = new NotifyListener()
  readonly log = new Logbook()
  readonly socket = new NotifySocket(this.listener.address)
  readonly systemd: Systemd
  #status = sampleStatus({ state: 'idle' })

  constructor(options: { watchdogMs?: number; stopWithinMs?: number; tickMs?: number } = {}) {
    this.systemd = new Systemd({
      send: (message) => this.socket.send(message),
      life: () => agentLife(this.#status),
      watchdogMs: options.watchdogMs,
      stopWithinMs: () => options.stopWithinMs ?? 60_000,
      log: this.log,
      ...(options.tickMs === undefined ? {} : { tickMs: options.tickMs }),
    })
  }

  /** The agent's connection enters a state. @returns what systemd hears of it */
  enters(connection: Partial<Status['connection']>, rest: Partial<Status> = {}): string[] {
    this.#status = sampleStatus(connection, rest)
    this.systemd.update()
    return this.listener.take()
  }

  /** The status changes without a change of state. */
  set status(status: Status) {
    this.#status = status
  }

  [Symbol.dispose](): void {
    this.systemd[Symbol.dispose]()
    this.socket[Symbol.dispose]()
    this.listener[Symbol.dispose]()
  }
}

test('systemd hears the whole life of an agent', async () => {
  using service = new Service()
  expect(service.enters({ state: 'idle' })).toEqual(['STATUS=idle'])
  expect(service.enters({ state: 'connecting' })).toEqual(['READY=1\nSTATUS=connecting to 127.0.0.1:8010'])
  expect(service.enters({ state: 'waiting', reason: 'connect ECONNREFUSED' })).toEqual([
    'STATUS=waiting: connect ECONNREFUSED',
  ])
  expect(service.enters({ state: 'connecting' })).toEqual(['STATUS=connecting to 127.0.0.1:8010'])
  const serving = 'serving 127.0.0.1:8010 as local, 2 of 100 sessions'
  expect(service.enters({ state: 'serving' })).toEqual([`STATUS=${serving}`])
  expect(service.enters({ state: 'serving' })).toEqual([])
  await service.systemd.reload(() => undefined)
  expect(service.listener.take()).toEqual([
    expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/),
    'READY=1',
  ])
  expect(service.enters({ state: 'draining' })).toEqual([
    'STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=draining, 2 of 100 sessions',
  ])
  expect(service.enters({ state: 'stopped' })).toEqual(['STATUS=stopped'])
  expect(service.log.lines).toEqual([])
})

test("a gateway's text cannot say anything else to systemd", () => {
  using service = new Service()
  const [message] = service.enters({ state: 'refused', reason: 'no\nMAINPID=1\nSTOPPING=1' })
  expect(message).toBe('READY=1\nSTATUS=refused: no MAINPID=1 STOPPING=1')
})

test('a reload that fails ends all the same, and its error is seen', async () => {
  using service = new Service()
  service.enters({ state: 'serving' })
  await expect(service.systemd.reload(() => Promise.reject(new Error('bad file')))).rejects.toThrow(
    'bad file',
  )
  expect(service.listener.take().at(-1)).toBe('READY=1')
})

test('the time of a reload is that of the system clock that never jumps', async () => {
  using service = new Service()
  const before = process.hrtime.bigint() / 1000n
  await service.systemd.reload(() => undefined)
  const [, usec = ''] = /MONOTONIC_USEC=(\d+)/.exec(service.listener.take().join()) ?? []
  expect(BigInt(usec) >= before && BigInt(usec) <= process.hrtime.bigint() / 1000n).toBe(true)
})

describe('the watchdog', () => {
  test('is pinged from the beginning, again and again, whatever the gateway does', async () => {
    using service = new Service({ watchdogMs: 40 })
    service.enters({ state: 'refused', reason: 'unknown key' })
    const pings: string[] = []
    await waitFor(() => pings.push(...service.listener.take()) >= 4)
    expect(new Set(pings)).toEqual(new Set(['WATCHDOG=1']))
  })

  test('is not pinged while the event loop does not turn', () => {
    using service = new Service({ watchdogMs: 40 })
    service.listener.take()
    block(300)
    expect(service.listener.take()).toEqual([])
  })

  test('is not pinged when nobody asked for it, nor after the end', async () => {
    using service = new Service({ watchdogMs: 2, tickMs: 2 })
    service.systemd[Symbol.dispose]()
    service.listener.take()
    using other = new Service({ tickMs: 2 })
    other.status = sampleStatus({ state: 'serving' })
    const heard = await found(() => other.listener.take().at(0))
    expect(heard).toMatch(/^READY=1\nSTATUS=serving/)
    expect(service.listener.take()).toEqual([])
  })
})

test('what changes without a new state is told a little later', async () => {
  using service = new Service({ tickMs: 5 })
  service.enters({ state: 'serving' })
  service.status = sampleStatus({}, { sessions: { ...sampleStatus().sessions, running: 3 } })
  const heard = await found(() => service.listener.take().at(0))
  expect(heard).toBe('STATUS=serving 127.0.0.1:8010 as local, 3 of 100 sessions')
})

test('a drain that goes on asks for more time, again and again', async () => {
  using service = new Service({ tickMs: 5 })
  service.enters({ state: 'draining' })
  const heard: string[] = []
  await waitFor(() => heard.push(...service.listener.take()) >= 3)
  expect(new Set(heard)).toEqual(new Set(['EXTEND_TIMEOUT_USEC=30000000']))
})

test('what found no room is told when there is some: what is true then', async () => {
  using service = new Service({ tickMs: 5 })
  // Nobody reads: the kernel's queue of the listener fills up.
  while (service.socket.send('X=1'));
  for (let i = 0; i < 30; i++) service.systemd.update()
  service.status = sampleStatus({ state: 'waiting', reason: 'the last one' })
  service.systemd.update()
  expect(new Set(service.listener.take())).toEqual(new Set(['X=1']))
  expect(await found(() => service.listener.take().at(0))).toBe('READY=1\nSTATUS=waiting: the last one')
})

test('a reload whose beginning found no room has no end', async () => {
  using service = new Service()
  service.enters({ state: 'serving' })
  while (service.socket.send('X=1'));
  await service.systemd.reload(() => void service.listener.take())
  expect(service.listener.take()).toEqual([])
})

test('an agent that changes its state during a reload is not done with it', async () => {
  using service = new Service()
  service.enters({ state: 'serving' })
  await service.systemd.reload(() => {
    expect(service.enters({ state: 'connecting' }).join()).not.toContain('READY=1')
  })
  expect(service.listener.take()).toEqual(['READY=1'])
})

test('a listener that is gone is said once, and the agent goes on', () => {
  using service = new Service()
  using gone = new NotifyListener()
  const socket = new NotifySocket(gone.address)
  const log = new Logbook()
  using systemd = new Systemd({
    send: (message) => socket.send(message),
    life: () => agentLife(sampleStatus()),
    watchdogMs: 10_000,
    stopWithinMs: () => 60_000,
    log,
  })
  expect(gone.take()).toEqual(['WATCHDOG=1'])
  gone.stopListening()
  systemd.update()
  systemd.update()
  void systemd.reload(() => undefined)
  expect(log.at('warn')).toEqual([expect.stringContaining('cannot tell systemd the state of this program')])
  socket[Symbol.dispose]()
  expect(service.enters({ state: 'serving' })).toHaveLength(1)
})

describe('the socket', () => {
  test.each(['file', 'abstract'] as const)('reaches a listener with an address of the kind %s', (kind) => {
    using listener = new NotifyListener(kind)
    using socket = new NotifySocket(listener.address)
    expect([socket.send('READY=1'), socket.send('STATUS=é')]).toEqual([true, true])
    expect(listener.take()).toEqual(['READY=1', 'STATUS=é'])
  })

  test('says what is no address', () => {
    expect(() => new NotifySocket('relative')).toThrow('relative is no address of a unix socket')
    expect(() => new NotifySocket(`/${'x'.repeat(107)}`)).toThrow('is too long for a unix socket')
    expect(() => new NotifySocket('vsock:2:1')).toThrow('is no address')
  })

  test('says why nobody was reached', () => {
    using socket = new NotifySocket('/nowhere/notify')
    expect(() => socket.send('READY=1')).toThrow('sendto: ENOENT')
  })
})

describe("systemd's variables", () => {
  const env = () => ({
    NOTIFY_SOCKET: '/run/notify',
    WATCHDOG_USEC: '60000000',
    WATCHDOG_PID: '7',
    HOME: '/',
  })

  test('are read, and taken away from whatever is started later', () => {
    const environment = env()
    expect(takeSystemdEnvironment(environment, 7)).toEqual({ socket: '/run/notify', watchdogMs: 60_000 })
    expect(environment).toEqual({ HOME: '/' })
  })

  test('ask for no pings from another process, and for none without a time', () => {
    expect(takeSystemdEnvironment(env(), 8)).toEqual({ socket: '/run/notify', watchdogMs: undefined })
    for (const WATCHDOG_USEC of ['', '0', 'soon', '-1', undefined]) {
      expect(takeSystemdEnvironment({ ...env(), WATCHDOG_USEC }, 7)?.watchdogMs).toBeUndefined()
    }
    expect(takeSystemdEnvironment({ ...env(), WATCHDOG_PID: undefined }, 8)?.watchdogMs).toBe(60_000)
  })

  test('are no timer that Node would fire at once', () => {
    expect(takeSystemdEnvironment({ ...env(), WATCHDOG_USEC: '9'.repeat(15) }, 7)?.watchdogMs).toBe(
      2 ** 31 - 1,
    )
  })

  test('are taken away without a socket as well', () => {
    const environment = { ...env(), NOTIFY_SOCKET: '' }
    expect(takeSystemdEnvironment(environment, 7)).toBeUndefined()
    expect(environment).toEqual({ HOME: '/' })
  })
})
