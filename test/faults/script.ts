import type { Job, Leftover, Print } from './plan.ts'

/** Where a command says that it runs, a line each time. */
export interface Marks {
  /** Stands in the arguments of what the command leaves behind. */
  readonly mark: string
  /** The file of this one's runs. */
  readonly runs: string
}

/** What a job runs, for bash. */
export function scriptOf(job: Job, { mark, runs }: Marks): string {
  return [
    `echo "$HOOP_SESSION_ID" >> '${runs}'`,
    LEAVE[job.leaves](mark),
    PRINT[job.prints],
    ...(job.lines > 0 ? [`seq -f 'line %g ${'.'.repeat(70)}' ${job.lines}`] : []),
    `sleep ${job.lastsMs / 1000}`,
    'echo done',
    `exit ${job.code}`,
  ].join('\n')
}

const QUIETLY = '> /dev/null 2>&1 &'
const sleeping = (mark: string) => `bash -c 'exec -a ${mark} sleep 1000'`

const LEAVE: Readonly<Record<Leftover, (mark: string) => string>> = {
  nothing: () => ':',
  background: (mark) => `${sleeping(mark)} ${QUIETLY}`,
  setsid: (mark) => `setsid ${sleeping(mark)} ${QUIETLY}`,
  'double fork': (mark) => `(setsid ${sleeping(mark)} ${QUIETLY})`,
  deaf: (mark) => `setsid bash -c 'trap "" TERM HUP; while :; do sleep 0.2; done' ${mark} ${QUIETLY}`,
  bare: (mark) =>
    `env -i "$(command -v setsid)" "$(command -v bash)" -c 'exec -a ${mark} "$1" 1000' bash "$(command -v sleep)" ${QUIETLY}`,
}

const TOKENS = '$API_TOKEN ${CALLER_TOKEN:-}'

const PRINT: Readonly<Record<Print, string>> = {
  nothing: ':',
  plain: `echo "tokens ${TOKENS}"; cat "$SECRET_FILE"; echo`,
  base64: `printf %s "$API_TOKEN" | base64 -w 0; echo; echo "x${TOKENS}" | base64 -w 0; echo`,
  wrapped: `{ printf '%050d' 0; printf %s "${TOKENS}"; } | base64 -w 64; base64 -w 20 "$SECRET_FILE"`,
  // sed writes when it has 4096 bytes: in the middle of the token, and the rest when it ends.
  piped: `{ printf '%04080d\\n' 0; echo "$API_TOKEN"; sleep 0.3; echo end; } | sed s/x/x/`,
  // In a shell of its own: that of a terminal would say between the pieces that a job has ended.
  'in pieces': `( printf %s "\${API_TOKEN:0:13}"; sleep 0.25; printf '%s\\n' "\${API_TOKEN:13}" )`,
}
