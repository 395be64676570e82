import { readPair, type CertificateFiles } from '../../../gateway/tls/certificate-pair.ts'
import { WARN_MS } from '../../../gateway/tls/server-certificate.ts'
import { broken, ok, skipped, warning, type Finding } from '../../doctor/finding.ts'

/** Whether the pair fits is found with the settings; here it is how long it lasts. */
export function checkCertificate(files: CertificateFiles | undefined): Finding {
  if (files === undefined) return skipped('there is no listen.tls')
  const { endsAt } = readPair(files)
  const until = new Date(endsAt).toISOString()
  const renew = 'Put a new one there: it is taken without a restart'
  if (endsAt <= Date.now()) return broken(`${files.certificate} ended at ${until}, nobody accepts it`, renew)
  if (endsAt - Date.now() < WARN_MS) return warning(`${files.certificate} ends at ${until}`, renew)
  return ok(`until ${until}`)
}
