import type { PeerCertificate } from 'node:tls'
import { parseEndpoint } from '../config/endpoint.js'
import { about, type Finding } from './finding.js'

/** What a look at a TLS server gave. */
export type TlsLook =
  | { readonly type: 'trusted'; readonly protocol: string; readonly certificate: PeerCertificate }
  /** OpenSSL's or node's code, and the certificate's names where it was shown. */
  | { readonly type: 'refused'; readonly code: string; readonly names: string }

export interface ConnectionWorld {
  readonly now: () => Date
  /** Addresses of a host name. Rejects where it has none. */
  readonly lookUp: (hostname: string) => Promise<readonly string[]>
  /** Connects with verification, as the proxy does, and hangs up. */
  readonly tls: (hostname: string, port: number) => Promise<TlsLook>
}

const DAY_MS = 86_400_000

/** That nothing but https gets past the configuration, by trying. */
export function checkPlainHttp({ hostname, port }: { readonly hostname: string; readonly port: number }): Finding {
  const finding = about('plain http', hostname)
  const tried = parseEndpoint(`http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`)
  return tried.type === 'problem'
    ? finding('ok', `the upstream is spoken to over https alone: an http: endpoint ${tried.message}`)
    : finding('failed', 'an http: endpoint gets past the configuration', 'do not use this build')
}

/** Name and certificate of the upstream. */
export async function checkConnection(
  hostname: string,
  port: number,
  { now, lookUp, tls }: ConnectionWorld,
): Promise<readonly Finding[]> {
  const name = about('name', hostname)
  let addresses: readonly string[]
  try {
    addresses = await lookUp(hostname)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    return [name('failed', `has no address (${code})`, 'check upstream.endpoint and the name server of this machine')]
  }
  const found = name('ok', addresses.slice(0, 4).join(', '))
  const look = await tls(hostname, port)
  const finding = about('tls', `${hostname}:${port}`)
  if (look.type === 'refused') return [found, finding('failed', refusalOf(look), remedyOf(look))]
  const { certificate, protocol } = look
  const until = new Date(certificate.valid_to)
  const detail = `${protocol}, issued by ${nameOf(certificate.issuer)}, until ${until.toISOString().slice(0, 10)}`
  const isSoon = until.getTime() - now().getTime() < 14 * DAY_MS
  return [
    found,
    isSoon ? finding('warning', detail, 'have the certificate of the store renewed') : finding('ok', detail),
  ]
}

function refusalOf({ code, names }: TlsLook & { type: 'refused' }): string {
  const shown = names === '' ? '' : `; the certificate is for ${names}`
  return `${IN_WORDS[code] ?? 'no connection'} (${code})${code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? shown : ''}`
}

const UNKNOWN_CA = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]

const IN_WORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(UNKNOWN_CA.map((code) => [code, 'the certificate is of no CA that is trusted here'])),
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  EPROTO: 'what answers at this port does not speak TLS 1.2 or later',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers at this port does not speak TLS',
  ECONNREFUSED: 'nobody listens at this port',
  ETIMEDOUT: 'no answer in time',
}

function remedyOf({ code }: TlsLook & { type: 'refused' }): string {
  if (UNKNOWN_CA.includes(code)) return 'name the CA of the store in upstream.ca (a PEM file)'
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return "have the store's certificate renewed, or set this machine's clock"
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return "use a name of the certificate in upstream.endpoint, or addressing: path where a bucket's name is what it lacks"
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return "name the store's https port in upstream.endpoint; plain http is never used"
    default:
      return 'check upstream.endpoint, and that firewalls and network policies let this machine reach it'
  }
}

const nameOf = (issuer: PeerCertificate['issuer']): string =>
  JSON.stringify([issuer.O, issuer.CN].flat().find((one) => typeof one === 'string' && one !== '') ?? 'unknown')

/** Beyond this S3 refuses signatures; see RequestTimeTooSkewed. */
const LARGEST_SKEW_MS = 15 * 60_000

/** This machine's clock against the upstream's `Date`. */
export function checkClock(date: string | undefined, now: Date): Finding {
  const finding = about('clock', 'this machine')
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return finding('skipped', 'the upstream does not say what time it is')
  const skew = now.getTime() - theirs
  const seconds = Math.round(Math.abs(skew) / 1000)
  const detail =
    seconds <= 2 ? 'agrees with the upstream' : `is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} the upstream`
  if (Math.abs(skew) >= LARGEST_SKEW_MS)
    return finding('failed', `${detail}; S3 refuses signatures beyond 15 minutes`, 'set it, and let NTP keep it')
  return seconds > 60 ? finding('warning', detail, 'set it, and let NTP keep it') : finding('ok', detail)
}
