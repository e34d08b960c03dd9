import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import type { Authority, CertificateAndKey } from '../../src/origin/certificates.js'

/** One CA and one leaf for 127.0.0.1, ::1, localhost and *.localhost, made once in each test process. */
let made: { readonly authority: Authority; readonly leaf: CertificateAndKey } | undefined

export function testCertificates(): { readonly authority: Authority; readonly leaf: CertificateAndKey } {
  if (made === undefined) {
    const authority = makeAuthority({ name: 'ssec-proxy test CA' })
    const hosts = ['127.0.0.1', '::1', 'localhost', '*.localhost', '*.s3.localhost']
    made = { authority, leaf: issueCertificate(authority, { hosts }) }
  }
  return made
}
