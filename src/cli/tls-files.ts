import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { failureReason } from '../config/files.js'
import type { Config, ListenerConfig } from '../config/types.js'

export interface TlsProblem {
  readonly path: string
  readonly message: string
}

export interface TlsReport {
  readonly problems: readonly TlsProblem[]
  readonly warnings: readonly TlsProblem[]
}

type HttpsListener = Extract<ListenerConfig, { type: 'https' }>

const DAY_MS = 86_400_000

/** Opens every TLS file of the configuration: certificates that hold at `now`, keys that belong to them, CAs. */
export function checkTlsFiles(config: Config, now: Date): TlsReport {
  const problems: TlsProblem[] = []
  const warnings: TlsProblem[] = []
  const report: Report = {
    problem: (path, message) => problems.push({ path, message }),
    warning: (path, message) => warnings.push({ path, message }),
  }
  config.listeners.forEach((listener, i) => {
    if (listener.type !== 'https') return
    const path = `listeners[${i}].https`
    checkPair(listener, path, config.baseDomains, now, report)
    if (listener.clientCa.type === 'file') readChain(listener.clientCa.file, `${path}.clientCa`, now, report)
  })
  if (config.upstream.ca.type === 'file') readChain(config.upstream.ca.file, 'upstream.ca', now, report)
  return { problems, warnings }
}

interface Report {
  readonly problem: (path: string, message: string) => void
  readonly warning: (path: string, message: string) => void
}

function checkPair({ tls }: HttpsListener, path: string, domains: readonly string[], now: Date, report: Report): void {
  const [certificate] = readChain(tls.certFile, `${path}.cert`, now, report)
  const key = readKey(tls.keyFile, `${path}.key`, report)
  if (certificate === undefined || key === undefined) return
  if (!certificate.checkPrivateKey(key)) {
    report.problem(`${path}.key`, `${tls.keyFile}: is not the private key of the first certificate in ${tls.certFile}`)
    return
  }
  // What OpenSSL finds wrong with a pair that fits: a key that is too short, an algorithm that it does not take.
  const reason = failureOf(() => createSecureContext({ cert: read(tls.certFile), key: read(tls.keyFile) }))
  if (reason !== 'none') report.problem(`${path}.cert`, `${tls.certFile}: cannot be used: ${reason}`)
  for (const domain of domains) {
    if (certificate.checkHost(`bucket.${domain}`) !== undefined) continue
    report.warning(`${path}.cert`, `${tls.certFile}: does not cover *.${domain}, as virtual-hosted style needs`)
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function readChain(file: string, path: string, now: Date, report: Report): readonly X509Certificate[] {
  const text = readOr(file, path, report)
  if (text === undefined) return []
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0) report.problem(path, `${file}: holds no PEM certificate`)
  return blocks.flatMap((block, i) => {
    const which = blocks.length === 1 ? 'the certificate' : `certificate ${i + 1} of ${blocks.length}`
    try {
      const certificate = new X509Certificate(block)
      checkTime(certificate, `${file}: ${which}`, path, now, report)
      return [certificate]
    } catch {
      report.problem(path, `${file}: ${which} cannot be read`)
      return []
    }
  })
}

function checkTime(certificate: X509Certificate, what: string, path: string, now: Date, report: Report): void {
  const from = new Date(certificate.validFrom)
  const until = new Date(certificate.validTo)
  if (until < now) report.problem(path, `${what} expired on ${until.toISOString()}`)
  else if (from > now) report.problem(path, `${what} is not valid before ${from.toISOString()}`)
  else if (until.getTime() - now.getTime() < 14 * DAY_MS)
    report.warning(path, `${what} expires on ${until.toISOString()}`)
}

function readKey(file: string, path: string, report: Report): KeyObject | undefined {
  const text = readOr(file, path, report)
  if (text === undefined) return undefined
  try {
    return createPrivateKey(text)
  } catch {
    // The library's message is of little use, and who knows what it quotes.
    const encrypted = text.includes('ENCRYPTED')
    report.problem(
      path,
      `${file}: ${encrypted ? 'has a passphrase, which nobody could enter' : 'holds no PEM private key'}`,
    )
    return undefined
  }
}

const read = (file: string): string => readFileSync(file, 'utf8')

function readOr(file: string, path: string, report: Report): string | undefined {
  try {
    return read(file)
  } catch (error) {
    report.problem(path, `${file}: cannot be read: ${failureReason(error)}`)
    return undefined
  }
}

function failureOf(run: () => unknown): string | 'none' {
  try {
    run()
    return 'none'
  } catch (error) {
    return failureReason(error)
  }
}
