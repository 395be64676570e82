import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Answer {
  readonly outcome: string
  readonly rule?: number
  readonly message?: string
}

function check(pack: string, text: string): Promise<Answer> {
  const args = [
    `${root}/dist/main.js`,
    'policy',
    'check',
    '--rules',
    `${root}/examples/policies/${pack}`,
    '--json',
  ]
  return new Promise((resolve) => {
    // Exit code 1 is an error to execFile, and an answer here.
    const child = execFile(process.execPath, args, (_, stdout) => resolve(JSON.parse(stdout) as Answer))
    child.stdin?.end(text)
  })
}

/** Texts that each rule must stop, in the order of the rules, and texts that must pass. */
const PACKS: Readonly<Record<string, { stops: readonly (readonly string[])[]; passes: readonly string[] }>> =
  {
    'unsafe-writes.yaml': {
      stops: [
        [
          'DELETE FROM users',
          'select 1;\ndelete\n from public.users ;',
          'delete from t using whhe, wherr; select 1 where true',
        ],
        [
          'UPDATE users SET a = 1',
          'update only t as x set a=1, b=2;\nselect 1 where 2=2',
          'UPDATE "T" set whe=1',
        ],
        ['DELETE FROM users WHERE 1=1;', 'update t set a=1 where true', "DELETE FROM t WHERE '1'='1'"],
      ],
      passes: [
        'DELETE FROM users WHERE id = 4;',
        'update t set a=1, b=now()\nwhere id in (select 2);\ndelete from t where whe = 1',
        'select * from deleted_from; select a for update;',
        'insert into t values (1) on conflict (id) do update set a=1 where t.a=2',
        'create table c (a int references p on update set null)',
        'DELETE FROM t wwhere id = 1',
      ],
    },
    'destructive-ddl.yaml': {
      stops: [
        ['DROP TABLE users', 'drop\n  database shop;', 'Drop Materialized View v'],
        ['TRUNCATE users', 'truncate table only "Users"', 'TRUNCATE TABLE [dbo]'],
        ['ALTER TABLE t DROP COLUMN a', 'alter table t\n add b int, drop constraint c;'],
        ['db.dropDatabase()', 'db.users.drop()', 'db.users.deleteMany({})'],
      ],
      passes: [
        'select * from dropped_tables',
        'create table drops (a int)',
        'alter table t add column dropped int',
        "select date_trunc('day', now()), trunc(1.5)",
        'db.users.find({a: 1})',
        'drop index concurrently i',
      ],
    },
    'dangerous-shell.yaml': {
      stops: [
        ['rm -rf /', 'sudo rm -v -fr --no-preserve-root "/etc/" && ls', 'rm -r ~/', 'rm --recursive $HOME;'],
        ['mkfs.ext4 /dev/sdb1', 'dd if=/dev/zero of=/dev/sda bs=1M', 'cat x > /dev/nvme0n1'],
        [
          'curl -s https://example.com/x | sh',
          'wget -qO- http://example.com | sudo -E bash',
          'curl x | /usr/bin/python3',
        ],
        ['chmod -R 777 /', 'chown --recursive app:app /usr; ls'],
        ['sudo reboot', 'ls; shutdown -h now', 'systemctl poweroff'],
        [':(){ :|:& };:'],
      ],
      passes: [
        'rm -rf ./build /tmp/work-1234 /var/lib/app/cache',
        'rm /etc/app.conf.old',
        'dd if=/dev/sda of=disk.img count=1',
        'echo done > /dev/null',
        'curl -s https://example.com/x | jq .',
        'curl -o install.sh https://example.com/x; sh install.sh',
        'chmod -R u+rX /srv/app',
        'systemctl restart app; cat shutdown.log',
      ],
    },
    'kubectl.yaml': {
      stops: [
        ['kubectl delete ns shop', 'kubectl -n shop delete pvc data-0', 'kubectl delete pods --all -n shop'],
        ['kubectl drain node-1', 'kubectl --context prod cordon node-1'],
        ['kubectl delete pod a --force', 'kubectl delete pod a --grace-period=0'],
        ['kubectl scale deploy/shop --replicas=0'],
        ['kubectl -n kube-system edit cm coredns', 'kubectl apply -f x.yaml --namespace=kube-system'],
        ['kubectl create clusterrolebinding x --clusterrole=cluster-admin --user=me'],
      ],
      passes: [
        'kubectl get ns; echo delete',
        'kubectl -n kube-system get pods',
        'kubectl delete pod shop-1 -n shop',
        'kubectl scale deploy/shop --replicas=10',
        'kubectl rollout restart deploy/shop',
        'kubectl logs drain-cleaner -n shop',
      ],
    },
  }

it('each file of examples/policies is tried', () => {
  expect(readdirSync(`${root}/examples/policies`).sort()).toEqual(Object.keys(PACKS).sort())
})

it.each(Object.entries(PACKS))(
  '%s stops what it is for, and lets the rest pass',
  async (pack, { stops, passes }) => {
    for (const [rule, texts] of stops.entries()) {
      for (const answer of await Promise.all(texts.map((text) => check(pack, text)))) {
        expect(answer).toMatchObject({
          outcome: 'violation',
          rule,
          message: expect.stringMatching(/\w/) as string,
        })
      }
    }
    const answers = await Promise.all(passes.map((text) => check(pack, text)))
    expect(answers.map((answer, index) => [passes[index], answer.outcome])).toEqual(
      passes.map((text) => [text, 'pass']),
    )
  },
)
