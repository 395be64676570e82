import type { DatabaseClient } from './client.ts'
import { names, type KnownOptions } from './known-options.ts'

/**
 * Allowed options. Left out on purpose: -e (the script would not be read), --tee, --pager, --skip-sandbox,
 * --local-infile, --plugin-dir, option files.
 */
const OPTIONS: KnownOptions = {
  style: 'getopt',
  flags: names(
    'A b B c C f H i L N n o q r s t U v w W X E batch binary-as-hex binary-mode column-names comments compress enable-cleartext-plugin ' +
      'force html line-numbers no-auto-rehash no-beep one-database quick raw safe-updates sandbox silent ' +
      'show-warnings skip-auto-rehash skip-column-names skip-line-numbers skip-reconnect skip-ssl ' +
      'ssl ssl-verify-server-cert table unbuffered verbose vertical wait xml',
  ),
  valued: names(
    'D h P S u connect-timeout database default-auth default-character-set delimiter host init-command max-allowed-packet port protocol ' +
      'socket ssl-ca ssl-capath ssl-cert ssl-cipher ssl-crl ssl-crlpath ssl-key tls-version user',
  ),
  attached: names('p password'),
  words: 1,
}

export const mariadb: DatabaseClient = {
  name: 'mariadb',
  options: OPTIONS,
  callersOptions: {
    ...OPTIONS,
    flags: names(
      'B H N q r s t v E X batch column-names html quick raw silent skip-column-names table verbose vertical xml',
    ),
    valued: names(''),
    attached: names(''),
    words: 0,
  },
  version: {
    ask: ['--sandbox', '--version'],
    plainAsk: ['--version'],
    // "Ver 15.1 Distrib 10.11.19-MariaDB, for ...", "from 11.4.2-MariaDB, client 15.2 for ...", Oracle's "Ver 8.4.0 for ...".
    read: (said) => (/(?:Distrib|from) ([^\s,]+)/.exec(said) ?? /Ver (\S+)/.exec(said))?.[1],
    // The version was asked for after --sandbox, so a client that answers knows that option.
    suffices: (version) => version.endsWith('-MariaDB'),
    needed:
      'a client of MariaDB 10.5.25, 10.6.18, 10.11.8, 11.4.2 or a newer one of these, or 11.5; none of MySQL',
  },
  // Appended, because the last one counts.
  closed: (args) => [...args, Buffer.from('--sandbox'), Buffer.from('--local-infile=0')],
  // The sandbox leaves `edit` open.
  environment: { VISUAL: '/bin/false', EDITOR: '/bin/false' },
  script: (script) => script,
}

/** The same program under its old name; or Oracle's, which has no such mode. */
export const mysql: DatabaseClient = { ...mariadb, name: 'mysql' }
