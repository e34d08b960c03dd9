import { type HttpsListenerConfig, type TlsMaterial, readTls, tlsFileNames } from './tls-files.js'
import type { Logger } from '../telemetry/logger.js'
import { type Server, type TLSSocket, createServer } from 'node:tls'
import type { WatchTimes } from './watch-files.js'
import { SOCKET_OPTIONS } from './socket-options.js'
import { faultOf } from './start-error.js'
import { watchFiles } from './watch-files.js'

export interface HttpsServer {
  readonly server: Server
  /** Looks at the files now. */
  readonly reload: () => void
  /** Stops watching the files. */
  readonly unwatch: () => void
}

const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'

interface Surroundings {
  readonly name: string
  readonly log: Logger
  readonly watch: WatchTimes
  /** Hears of the certificate in use, at start and whenever it was replaced. */
  readonly onCertificate: (certificate: { readonly listener: string; readonly notAfter: Date }) => void
  readonly onCertificateReload: (listener: string, result: 'accepted' | 'refused') => void
}

/**
 * A TLS server whose certificate, key and client CA follow their files. A new set that is broken or does not fit is
 * refused, and the one in use stays; connections that are open keep what they were made with.
 *
 * @throws StartError where the files are not in order at start
 */
export function httpsServer(config: HttpsListenerConfig, handshakeMs: number, around: Surroundings): HttpsServer {
  const { name, log } = around
  let current = readTls(config)
  let lastRefusal = ''
  const server = createServer({
    ...SOCKET_OPTIONS,
    // Before its handshake a client that ends its side has left, as health checks do; nobody is there yet to hear it and to close.
    allowHalfOpen: false,
    ...current.context,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeMs,
    requestCert: config.clientCa.type === 'file',
    rejectUnauthorized: true,
  })
  server.on('secureConnection', (socket) => {
    socket.allowHalfOpen = SOCKET_OPTIONS.allowHalfOpen === true
  })
  announce(current, around)

  const look = (asked: boolean) => {
    try {
      const next = readTls(config)
      if (lastRefusal !== '') around.onCertificateReload(name, 'accepted')
      lastRefusal = ''
      if (next.digest === current.digest) {
        if (asked) log.info({ listener: name }, 'certificate unchanged')
        return
      }
      server.setSecureContext(next.context)
      current = next
      announce(current, around)
    } catch (err) {
      const refusal = faultOf(err)
      // The poll comes back to the same fault again and again; it is told once.
      if (refusal === lastRefusal && !asked) return
      lastRefusal = refusal
      around.onCertificateReload(name, 'refused')
      log.error({ listener: name, reason: refusal }, 'new certificate refused, the old one stays in use')
    }
  }
  const watcher = watchFiles(tlsFileNames(config), () => look(false), around.watch)

  server.on('tlsClientError', (fault: NodeJS.ErrnoException, socket: TLSSocket) => {
    // A code, whatever the types say; null where no client certificate was looked at.
    const refused = socket.authorizationError as unknown
    const reason = typeof refused === 'string' ? refused : (fault.code ?? faultOf(fault))
    const about = { listener: name, remoteAddress: socket.remoteAddress ?? 'unknown', reason }
    if (typeof refused === 'string' || reason === NO_CERTIFICATE) log.info(about, 'client certificate refused')
    else log.debug(about, 'TLS handshake failed')
    socket.destroy()
  })
  return { server, reload: () => look(true), unwatch: () => watcher.close() }
}

function announce(material: TlsMaterial, { name, log, onCertificate }: Surroundings): void {
  const { notBefore, notAfter, subject } = material
  const now = new Date()
  const about = { listener: name, subject, notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() }
  if (now < notBefore || now > notAfter) log.warn(about, 'certificate in use, and out of its period of validity')
  else log.info(about, 'certificate in use')
  onCertificate({ listener: name, notAfter })
}
