import type { DatabaseClient } from './client.ts'
import { names, type KnownOptions } from './known-options.ts'

/** Not among them: --eval, --rdb, --functions-rdb, --pipe, --cluster: files, and other work than the script's. */
const OPTIONS: KnownOptions = {
  style: 'words',
  flags: names('2 3 c e raw no-raw csv json quoted-json no-auth-warning tls insecure verbose'),
  valued: names('a d D h i n p r s t u cacert cacertdir cert key pass sni tls-ciphers user'),
  attached: names(''),
  words: 0,
}

/** Its only ways to a shell or to files are its own options. */
export const redis: DatabaseClient = {
  name: 'redis-cli',
  options: OPTIONS,
  callersOptions: { ...OPTIONS, flags: names('2 3 e raw no-raw csv json quoted-json'), valued: names('') },
  version: undefined,
  closed: (args) => [...args],
  environment: {},
  script: (script) => script,
}
