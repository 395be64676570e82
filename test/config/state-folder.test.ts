import { describe, expect, test } from 'vitest'
import { stateFolder, type StateFolderRequest } from '../../src/config/state-folder.ts'

const folderOf = (given: Partial<StateFolderRequest> = {}) =>
  stateFolder({ setting: undefined, env: {}, home: '/home/u', uid: 1000, ...given })

describe('the state folder', () => {
  test('is the setting before all else', () => {
    const env = { STATE_DIRECTORY: '/var/lib/unit', XDG_STATE_HOME: '/x' }
    expect(folderOf({ setting: '/srv/state', env, uid: 0 })).toBe('/srv/state')
  })

  test("is the first of systemd's next, also for root", () => {
    const env = { STATE_DIRECTORY: '/var/lib/unit:/var/lib/other', XDG_STATE_HOME: '/x' }
    expect(folderOf({ env })).toBe('/var/lib/unit')
    expect(folderOf({ env, uid: 0 })).toBe('/var/lib/unit')
  })

  test("is the system's for root, whatever the user who became root has set", () => {
    expect(folderOf({ uid: 0 })).toBe('/var/lib/runbook-agent')
    expect(folderOf({ uid: 0, env: { XDG_STATE_HOME: '/home/u/state' } })).toBe('/var/lib/runbook-agent')
  })

  test('is below XDG_STATE_HOME for others', () => {
    expect(folderOf({ env: { XDG_STATE_HOME: '/x/state' } })).toBe('/x/state/runbook-agent')
  })

  test.each([undefined, '', 'relative/state'])('does not count XDG_STATE_HOME=%j', (value) => {
    expect(folderOf({ env: { XDG_STATE_HOME: value } })).toBe('/home/u/.local/state/runbook-agent')
  })

  test.each(['', undefined])('does not count a setting or a STATE_DIRECTORY of %j', (value) => {
    expect(folderOf({ setting: value, env: { STATE_DIRECTORY: value } })).toBe(
      '/home/u/.local/state/runbook-agent',
    )
  })

  test('is in the home where there are no user numbers', () => {
    expect(folderOf({ uid: undefined })).toBe('/home/u/.local/state/runbook-agent')
  })
})
