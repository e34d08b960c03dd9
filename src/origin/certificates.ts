import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { isIP } from 'node:net'
import * as der from './der.js'

/** A certificate and its private key, both PEM, named as node:tls wants them. */
export interface CertificateAndKey {
  readonly cert: string
  readonly key: string
}

/** Who signs: also PEM, so that it can be kept in files and used again. */
export type Authority = CertificateAndKey

const ECDSA_WITH_SHA256 = der.sequence(der.objectId('1.2.840.10045.4.3.2'))
const FIVE_MINUTES_MS = 300_000
const DAY_MS = 86_400_000

/**
 * Makes a certificate authority with a P-256 key, valid from five minutes before `now` (clocks differ) for `days`.
 * It is for the quickstart, the embedded origin and tests: nothing revokes what it signs.
 */
export function makeAuthority(options: { name?: string; now?: Date; days?: number } = {}): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = options.name ?? `ssec-proxy local CA ${randomBytes(4).toString('hex')}`
  return certificate({
    issuer: { name, privateKey, publicKey },
    subject: { name, privateKey, publicKey },
    validity: validity(options.now, options.days ?? 3650),
    extensions: [
      extension('2.5.29.19', 'critical', der.sequence(der.boolean(true), der.integer(Buffer.of(0)))), // CA, no CA below
      extension('2.5.29.15', 'critical', der.bitString(Buffer.of(0x06), 1)), // keyCertSign, cRLSign
    ],
  })
}

/**
 * A server certificate for `hosts`, host names (`*.` wildcards too) and IP addresses, valid from five minutes before
 * `now` for `days`. The key is new each time.
 */
export function issueCertificate(
  authority: Authority,
  options: { hosts: readonly string[]; now?: Date; days?: number },
): CertificateAndKey {
  const issuerKey = createPrivateKey(authority.key)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return certificate({
    issuer: {
      name: commonName(new X509Certificate(authority.cert)),
      privateKey: issuerKey,
      publicKey: createPublicKey(issuerKey),
    },
    subject: { name: options.hosts[0] ?? 'none', privateKey, publicKey },
    validity: validity(options.now, options.days ?? 365),
    extensions: [
      extension('2.5.29.19', 'critical', der.sequence()),
      extension('2.5.29.15', 'critical', der.bitString(Buffer.of(0x80), 7)), // digitalSignature
      extension('2.5.29.37', 'normal', der.sequence(der.objectId('1.3.6.1.5.5.7.3.1'))), // serverAuth
      extension('2.5.29.17', 'normal', der.sequence(...options.hosts.map(alternativeName))),
    ],
  })
}

interface Party {
  readonly name: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The certificate of RFC 5280, 4.1: version 3, signed with ECDSA over SHA-256. */
function certificate(parts: {
  readonly issuer: Party
  readonly subject: Party
  readonly validity: Buffer
  readonly extensions: readonly Buffer[]
}): CertificateAndKey {
  const { issuer, subject } = parts
  const toSign = der.sequence(
    der.explicit(0, der.integer(Buffer.of(2))),
    der.integer(randomBytes(16)),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.name),
    parts.validity,
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(
      3,
      der.sequence(
        ...parts.extensions,
        extension('2.5.29.14', 'normal', der.octetString(keyId(subject.publicKey))),
        extension('2.5.29.35', 'normal', der.sequence(der.implicit(0, keyId(issuer.publicKey)))),
      ),
    ),
  )
  const signature = sign('sha256', toSign, { key: issuer.privateKey, dsaEncoding: 'der' })
  return {
    cert: pem('CERTIFICATE', der.sequence(toSign, ECDSA_WITH_SHA256, der.bitString(signature))),
    key: subject.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function validity(now = new Date(), days: number): Buffer {
  const from = now.getTime() - FIVE_MINUTES_MS
  return der.sequence(der.time(new Date(from)), der.time(new Date(now.getTime() + days * DAY_MS)))
}

const extension = (id: string, weight: 'critical' | 'normal', content: Buffer): Buffer =>
  der.sequence(der.objectId(id), ...(weight === 'critical' ? [der.boolean(true)] : []), der.octetString(content))

const distinguishedName = (name: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectId('2.5.4.3'), der.utf8String(name))))

/** Our certificates' subject is one common name; X509Certificate shows it as `CN=…`. */
const commonName = (of: X509Certificate): string => of.subject.replace(/^CN=/, '')

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2 method 1): a name, not a protection. A P-256 point is 65 bytes. */
const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }).subarray(-65))
    .digest()

function alternativeName(host: string): Buffer {
  switch (isIP(host)) {
    case 4:
      return der.implicit(7, Buffer.from(host.split('.').map(Number)))
    case 6:
      return der.implicit(7, ipv6Bytes(host))
    default:
      return der.implicit(2, Buffer.from(host, 'latin1'))
  }
}

/** The URL parser writes an address out in hexadecimal groups with at most one `::`. */
function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

const pem = (label: string, content: Buffer): string =>
  `-----BEGIN ${label}-----\n${content.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`
