import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeAccountFile } from '../../../src/client/account/account-file.ts'
import {
  currentProfile,
  isProfileName,
  keepCurrentProfile,
  profileFile,
  profileNames,
} from '../../../src/client/account/profiles.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const account = (name: string) => ({ api_url: `https://${name}.test`, token: 't' })

describe('profiles', () => {
  it('have a file each beside that of the default, which is the one of before', () => {
    using place = new Workplace()
    const file = place.at('settings', 'account.json')
    expect([profileNames(file), currentProfile(file)]).toEqual([[], 'default'])
    for (const name of ['staging', 'default', 'prod'])
      writeAccountFile(profileFile(file, name), account(name))
    expect(profileNames(file)).toEqual(['default', 'prod', 'staging'])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(account('default'))
    expect(statSync(profileFile(file, 'prod')).mode & 0o777).toBe(0o600)
  })

  it('are chosen by a file of their own, and the default by none', () => {
    using place = new Workplace()
    const file = place.at('settings', 'account.json')
    keepCurrentProfile(file, 'prod')
    expect(currentProfile(file)).toBe('prod')
    keepCurrentProfile(file, 'default')
    keepCurrentProfile(file, 'default')
    expect(currentProfile(file)).toBe('default')
    writeFileSync(place.at('settings', 'current-profile'), '../evil\n')
    expect(() => currentProfile(file)).toThrow(
      /current-profile was not written by runbook-agent use\. .* use default$/,
    )
  })

  it.each(['', '.', '..', '../x', 'a/b', '-x', 'a b', 'a\n', 'ä', 'x'.repeat(65)])(
    'cannot be called %j',
    (name) => expect(isProfileName(name)).toBe(false),
  )
})
