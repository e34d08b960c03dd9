import { checkServerIdentity as defaultIdentity, connect } from 'node:tls'
import { isIP } from 'node:net'
import type { TlsLook } from './check-connection.js'

const PATIENCE_MS = 10_000

/** Connects as the proxy does: TLS 1.2 or later, verified for this name by these CAs (`system`: node's own), and hangs up. */
export function lookAtTls(hostname: string, port: number, ca: string | 'system'): Promise<TlsLook> {
  return new Promise((resolve) => {
    let shown = ''
    const socket = connect({
      host: hostname,
      port,
      minVersion: 'TLSv1.2',
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...(ca === 'system' ? {} : { ca }),
      checkServerIdentity: (name, certificate) => {
        shown = certificate.subjectaltname ?? ''
        return defaultIdentity(name, certificate)
      },
    })
    const end = (look: TlsLook): void => {
      socket.destroy()
      resolve(look)
    }
    socket.setTimeout(PATIENCE_MS, () => end({ type: 'refused', code: 'ETIMEDOUT', names: '' }))
    socket.on('secureConnect', () =>
      end({
        type: 'trusted',
        protocol: socket.getProtocol() ?? 'TLS',
        certificate: socket.getPeerCertificate(),
      }),
    )
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end({ type: 'refused', code: error.code ?? 'no code', names: shown.slice(0, 300) }),
    )
  })
}
