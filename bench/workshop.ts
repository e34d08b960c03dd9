import { issueCertificate, makeAuthority } from '../src/origin/certificates.js'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'

/**
 * The folder of one run: a CA, a certificate for this machine, the client's credentials, what the programs write. It is
 * removed when this process exits.
 */
export interface Workshop {
  readonly folder: string
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Writes a file that only its owner reads, and gives its path. */
  readonly write: (name: string, text: string) => string
}

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const authority = makeAuthority({ name: 'ssec-proxy bench CA' })
  const leaf = issueCertificate(authority, { hosts: ['localhost', '127.0.0.1'] })
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  return {
    folder,
    caFile: write('ca.pem', authority.cert),
    certFile: write('server.pem', leaf.cert),
    keyFile: write('server-key.pem', leaf.key),
    // a rival takes none that is shorter than 16
    accessKeyId: 'BENCHCLIENT000000000',
    secretAccessKey: randomBytes(30).toString('base64url'),
    write,
  }
}
