import t from 'tap'
import { X509Certificate } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import type { Authority, CertificateAndKey } from '../../src/origin/certificates.js'
import { testCertificates } from '../support/certificates.js'

/** What a client that verifies says of a server with this certificate: `ok` or the error's code. */
async function handshake(input: { ca: Authority; leaf: CertificateAndKey; servername: string }): Promise<string> {
  const server = createServer({ ...input.leaf }, (socket) => socket.end())
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    servername: input.servername,
    ca: input.ca.cert,
  })
  const said = await once(socket, 'secureConnect').then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  )
  socket.destroy()
  server.close()
  return said
}

t.test('a leaf is accepted for each of its hosts and for no other', async (t) => {
  const ca = makeAuthority()
  const leaf = issueCertificate(ca, { hosts: ['s3.example', '*.s3.example', '127.0.0.1', '::1', '2001:db8::7:0'] })
  for (const servername of ['s3.example', 'bucket.s3.example']) {
    t.equal(await handshake({ ca, leaf, servername }), 'ok', servername)
  }
  for (const servername of ['other.example', 'a.b.s3.example']) {
    t.equal(await handshake({ ca, leaf, servername }), 'ERR_TLS_CERT_ALTNAME_INVALID', servername)
  }
  const parsed = new X509Certificate(leaf.cert)
  for (const ip of ['127.0.0.1', '::1', '2001:db8:0:0:0:0:7:0']) t.ok(parsed.checkIP(ip), ip)
  t.notOk(parsed.checkIP('127.0.0.2'))
})

t.test('another authority, even of the same name, is not believed', async (t) => {
  const ca = makeAuthority({ name: 'same' })
  const leaf = issueCertificate(makeAuthority({ name: 'same' }), { hosts: ['s3.example'] })
  const said = await handshake({ ca, leaf, servername: 's3.example' })
  t.match(said, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/)
})

t.test('validity starts five minutes early and ends after the days asked for', async (t) => {
  const now = new Date('2049-12-31T23:58:00Z')
  const ca = makeAuthority({ now, days: 2 })
  const leaf = new X509Certificate(issueCertificate(ca, { hosts: ['x.example'], now, days: 1 }).cert)
  t.equal(new Date(leaf.validFrom).toISOString(), '2049-12-31T23:53:00.000Z')
  t.equal(new Date(leaf.validTo).toISOString(), '2050-01-01T23:58:00.000Z', 'GeneralizedTime from 2050')
  const trusted = makeAuthority()
  const expired = issueCertificate(trusted, { hosts: ['x.example'], now: new Date('2020-01-01'), days: 1 })
  t.equal(await handshake({ ca: trusted, leaf: expired, servername: 'x.example' }), 'CERT_HAS_EXPIRED')
})

t.test('an authority that went through files signs as before', async (t) => {
  const ca = makeAuthority()
  const again = JSON.parse(JSON.stringify(ca)) as Authority
  const leaf = new X509Certificate(issueCertificate(again, { hosts: ['x.example'] }).cert)
  const parsed = new X509Certificate(ca.cert)
  t.ok(leaf.checkIssued(parsed))
  t.ok(leaf.verify(parsed.publicKey))
  t.ok(parsed.ca)
  t.notOk(leaf.ca)
})

t.test('OpenSSL finds nothing to object to under its strict rules (RFC 5280), as Python 3.13 asks', async (t) => {
  const { authority, leaf } = testCertificates()
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'ca.pem'), authority.cert)
  writeFileSync(join(folder, 'leaf.pem'), leaf.cert)
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_ip', '127.0.0.1', '-CAfile', 'ca.pem']
  t.match(execFileSync('openssl', [...args, 'leaf.pem'], { cwd: folder, encoding: 'utf8' }), /leaf\.pem: OK/)
})
