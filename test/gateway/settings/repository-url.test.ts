import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRemote, repositoryKey } from '../../../src/gateway/settings/repositories.ts'
import { Workshop } from '../runbooks/workshop.ts'

describe('a repository URL', () => {
  test.each([
    ['/srv/rb', { kind: 'local', url: '/srv/rb' }],
    ['/srv/with space/ü:x.git', { kind: 'local', url: '/srv/with space/ü:x.git' }],
    ['./a:b', { kind: 'local', url: resolve('a:b') }],
    ['books', { kind: 'local', url: resolve('books') }],
    ['file:///srv/with%20space', { kind: 'local', url: '/srv/with space' }],
    ['ssh://git@host:2222/a/b.git', { kind: 'ssh', url: 'ssh://git@host:2222/a/b.git' }],
    ['ssh://[::1]/a', { kind: 'ssh', url: 'ssh://[::1]/a' }],
    ['git@host.example:a/b.git', { kind: 'ssh', url: 'git@host.example:a/b.git' }],
    ['host:/abs/b', { kind: 'ssh', url: 'host:/abs/b' }],
  ])('%s is accepted', (url, remote) => {
    expect(parseRemote(url)).toEqual(remote)
  })

  test.each([
    ['https://host/a/b.git', 'https://host/a/b.git', 'https://host', undefined],
    [
      'https://host:8443/-/snippets/1.git',
      'https://host:8443/-/snippets/1.git',
      'https://host:8443',
      undefined,
    ],
    ['HTTPS://me:p%40ss:w@host/a', 'https://host/a', 'https://host', { username: 'me', password: 'p@ss:w' }],
    [
      'https://ghp_token@host/a',
      'https://host/a',
      'https://host',
      { username: 'ghp_token', password: undefined },
    ],
    [
      'https://ghp_token:@host/a',
      'https://host/a',
      'https://host',
      { username: 'ghp_token', password: undefined },
    ],
  ])(
    '%s is taken apart, its credentials are no part of what git gets as argument',
    (url, plain, origin, credentials) => {
      expect(parseRemote(url)).toEqual({ kind: 'https', url: plain, origin, credentials })
    },
  )

  test.each([
    ['', 'is empty'],
    ['--upload-pack=touch /tmp/x', "start with '-'"],
    ['-oProxyCommand=x', "start with '-'"],
    ['ext::sh -c "touch /tmp/x"', 'transport helper'],
    ['fd::17', 'transport helper'],
    ['::x', 'transport helper'],
    ['http://host/a', 'uses http://'],
    ['git://host/a', 'uses git://'],
    ['ftp://host/a', 'uses ftp://'],
    ['https://-oProxyCommand=x/a', 'host name'],
    ['ssh://-oProxyCommand=touch%20x/a', 'host name'],
    ['ssh://-l@host/a', 'user name'],
    ['ssh://git@/a', 'host name'],
    ['https://host', 'path'],
    ['https://host/', 'path'],
    ['https://host/a?token=x', "'?'"],
    ['-git@host:a', "start with '-'"],
    ['git@-host:a', 'host name'],
    ['git@host:-a', 'path'],
    ['git@host:', 'path'],
    ['a b:c', 'host name'],
    ['/srv/a\nb', 'control character'],
    ['https://host/a\0', 'control character'],
    ['https://me:%0a@host/a', 'control character'],
    ['https://me:%zz@host/a', '% escape'],
    ['file://host/a', 'file:///absolute/path'],
    ['file:///a%2Fb', 'file:///absolute/path'],
  ])('%j is refused', (url, why) => {
    expect(() => parseRemote(url)).toThrow(why)
  })

  test.each([
    'ssh://me:hunter2@host/a',
    'http://me:hunter2@host/a',
    'https://me:hunter2@ho st/a',
    'https://me:hunter2@host/a?x',
    'https://me:hunter2%zz@host/a',
    'me:hunter2@host:a',
    'https://me:hun@ter2/hunter2@host/a\n',
  ])('%j is refused without its password in the error', (url) => {
    expect(() => parseRemote(url)).toThrow(/^(?!.*hun)/s)
  })
})

describe('the key of a repository', () => {
  test.each([
    ['git@host:a/b.git', 'host/a/b'],
    ['file:///tmp/rb.git', '/tmp/rb'],
    ['/tmp/rb.git', '/tmp/rb'],
    ['https://user:pw@GitHub.com:8443/Org/Re%20po.git', 'GitHub.com/Org/Re po'],
    ['https://host//a/b//', 'host/a/b'],
    ['ssh://git@host:22/a/b.git', 'host/a/b'],
    ['ssh://[::1]:22/a', '::1/a'],
    ['git@host:/a/b', 'host/a/b'],
  ])('of %s is %s', (url, key) => {
    expect(repositoryKey(url)).toBe(key)
  })
})

test('a URL or branch that is an option or a command executes nothing', async () => {
  await using workshop = new Workshop()
  workshop.commit({ 'a.sql': '1' })
  const canary = join(workshop.folder, 'canary')
  const bad = [
    { url: `--upload-pack=touch ${canary}` },
    { url: `ext::sh -c touch% ${canary}` },
    { url: `ssh://-oProxyCommand=touch ${canary}/x` },
    { branch: `--upload-pack=touch ${canary}` },
    { branch: `main:refs/heads/x` },
  ]
  for (const options of bad) expect(() => workshop.open(options)).toThrow(/^runbook repository (URL|branch) /)
  expect(existsSync(canary)).toBe(false)
  // A path may look like one once it is absolute: it is only a path that does not exist.
  const odd = workshop.open({ url: `${workshop.folder}/$(touch ${canary})`, branch: 'a;touch`x`' })
  await expect(odd.readFile('a.sql')).rejects.toMatchObject({ code: 'repository-failed' })
  expect(existsSync(canary)).toBe(false)
})
