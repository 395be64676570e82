import type { DatabaseClient } from './client.ts'
import { names, type KnownOptions } from './known-options.ts'

/** Left out on purpose: --eval, --rdb, --functions-rdb, --pipe, --cluster. They read files or do other work. */
const OPTIONS: KnownOptions = {
  style: 'words',
  flags: names('2 3 c e raw no-raw csv json quoted-json no-auth-warning tls insecure verbose'),
  valued: names('a d D h i n p r s t u cacert cacertdir cert key pass sni tls-ciphers user'),
  attached: names(''),
  words: 0,
}

/** redis-cli. Its only ways to a shell or to files are options, so nothing but the arguments has to be checked. */
export const redis: DatabaseClient = {
  name: 'redis-cli',
  options: OPTIONS,
  callersOptions: { ...OPTIONS, flags: names('2 3 e raw no-raw csv json quoted-json'), valued: names('') },
  version: undefined,
  closed: (args) => [...args],
  environment: {},
  script: (script) => script,
}
