import { describe, expect, test } from 'vitest'
import { inheritedEnvironment } from '../../src/envvars/agent-environment.ts'

describe('the inherited environment', () => {
  test('takes the listed variables of the agent and every LC_ variable', () => {
    const agent = {
      PATH: '/bin',
      HOME: '/root',
      USER: 'me',
      LOGNAME: 'me',
      SHELL: '/bin/sh',
      LANG: 'C.UTF-8',
      LC_ALL: 'C',
      LC_TIME: '',
      TZ: 'UTC',
      TMPDIR: '/var/tmp',
    }
    expect(Object.fromEntries(inheritedEnvironment(agent))).toEqual(agent)
  })

  test('takes nothing else, least of all credentials', () => {
    const inherited = inheritedEnvironment({
      PATH: '/bin',
      HOOP_KEY: 'secret',
      HOOP_DSN: 'secret',
      HOOP_USER_ID: 'u',
      TOKEN: 'secret',
      LD_PRELOAD: '/x.so',
      NODE_OPTIONS: '--inspect',
      LC_: 'x',
      lc_all: 'x',
      HOME: undefined,
    })
    expect([...inherited.keys()]).toEqual(['PATH'])
  })

  test.each([{}, { PATH: '' }, { PATH: undefined }])('has a PATH when the agent has %j', (agent) => {
    expect(inheritedEnvironment(agent).get('PATH')).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    )
  })
})
