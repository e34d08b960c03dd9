import { StartError, faultOf } from './start-error.js'
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto'
import { type SecureContextOptions, createSecureContext } from 'node:tls'
import type { ListenerConfig } from '../config/types.js'
import { readFileSync } from 'node:fs'

export type HttpsListenerConfig = Extract<ListenerConfig, { readonly type: 'https' }>

/** What a TLS listener shows its clients, read from files and found to be in order. */
export interface TlsMaterial {
  readonly context: SecureContextOptions
  /** Of the files' content, to tell whether they changed. */
  readonly digest: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly subject: string
}

/** Mozilla's "intermediate" set without finite-field Diffie-Hellman: forward secrecy and AEAD only. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export const tlsFileNames = ({ tls, clientCa }: HttpsListenerConfig): readonly string[] => [
  tls.certFile,
  tls.keyFile,
  ...(clientCa.type === 'file' ? [clientCa.file] : []),
]

/**
 * Reads certificate, key and client CA, and checks that they fit.
 *
 * @throws StartError that names the file and what is wrong with it, never its content
 */
export function readTls(config: HttpsListenerConfig): TlsMaterial {
  const { certFile, keyFile } = config.tls
  const cert = read('certificate', certFile)
  const key = read('key', keyFile)
  const leaf = attempt(`certificate ${certFile}: not a PEM certificate`, () => new X509Certificate(cert))
  const privateKey = attempt(`key ${keyFile}: not a PEM private key without a passphrase`, () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new StartError(`certificate ${certFile} and key ${keyFile} do not belong together`)
  }
  const ca = config.clientCa.type === 'file' ? readClientCa(config.clientCa.file) : undefined
  const context = { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS, ...(ca === undefined ? {} : { ca }) } as const
  attempt(`certificate ${certFile}: not usable`, () => createSecureContext(context))
  return {
    context,
    digest: createHash('sha256')
      .update(JSON.stringify([cert, key, ca ?? '']))
      .digest('hex'),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    subject: leaf.subjectAltName ?? leaf.subject,
  }
}

/** OpenSSL takes a file without any certificate for an empty list, and says nothing. */
function readClientCa(file: string): string {
  const ca = read('client CA', file)
  attempt(`client CA ${file}: not a PEM certificate`, () => new X509Certificate(ca))
  return ca
}

function read(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StartError(`${what} ${file}: ${faultOf(cause)}`, cause)
  }
}

function attempt<T>(message: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new StartError(message, cause)
  }
}
