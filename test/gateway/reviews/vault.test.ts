import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RequestVault } from '../../../src/gateway/reviews/vault.ts'

let folder: string
let key: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vault-'))
  key = path.join(folder, 'reviews.key')
})
afterEach(() => rmSync(folder, { recursive: true }))

const secret = Buffer.from('sesame')

describe('the vault of requests', () => {
  it('opens what it has sealed, also after a restart, with a key that only its owner can read', () => {
    const sealed = new RequestVault(key).seal(secret, 'one')
    // Before the key is used again: that would repair its mode.
    expect([statSync(key).mode & 0o777, readFileSync(key).length]).toEqual([0o600, 32])
    expect(sealed.includes(secret)).toBe(false)
    expect(new RequestVault(key).unseal(sealed, 'one').plain).toEqual(secret)
  })

  it('opens what an earlier version has sealed, and knows a script by its hash', () => {
    writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 })
    const sealed = '010101010101010101010101fa8e9f1fd69d1046a87d3b8744d3c3fa0584fad6fdda'
    const vault = new RequestVault(key)
    expect(vault.unseal(Buffer.from(sealed, 'hex'), 'review r session s').plain).toEqual(secret)
    expect(vault.digest(Buffer.from('echo sesame'))).toBe(
      'c9c82924e22eb11596191a503d8b1800bbb49b6b0c3abe4ede7b3500b1c726a8',
    )
  })

  it('never seals the same twice', () => {
    const vault = new RequestVault(key)
    expect(vault.seal(secret, 'one')).not.toEqual(vault.seal(secret, 'one'))
  })

  it('opens nothing that was changed, or sealed for something else or with another key', () => {
    const vault = new RequestVault(key)
    const sealed = vault.seal(secret, 'one')
    const other = new RequestVault(`${key}.other`)
    other.seal(secret, 'one')
    expect(vault.unseal(sealed, 'two').broken).toBeDefined()
    expect(other.unseal(sealed, 'one').broken).toBeDefined()
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(vault.unseal(changed, 'one').broken).toBeDefined()
      expect(vault.unseal(sealed.subarray(0, at), 'one').broken).toBeDefined()
    }
  })

  it('says which key is gone or broken', () => {
    const sealed = new RequestVault(key).seal(secret, 'one')
    rmSync(key)
    expect(new RequestVault(key).unseal(sealed, 'one').broken).toBe(`the key ${key} is missing`)
    writeFileSync(key, 'short', { mode: 0o600 })
    expect(() => new RequestVault(key).seal(secret, 'one')).toThrow(`${key} is not a key of 32 bytes`)
    expect(() => new RequestVault(path.join(folder, 'nowhere', 'key')).seal(secret, 'one')).toThrow(
      'cannot write the key',
    )
  })
})
