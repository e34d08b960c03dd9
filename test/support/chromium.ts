import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run-program.js'

/** Gives the DOM that headless Chromium, with an empty profile, makes of a URL; it trusts this one certificate. */
export function chromiumFor(certificate: string): (url: string) => Promise<string> {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  const trusted = createHash('sha256').update(spki).digest('base64')
  return async (url) => {
    const profile = mkdtempSync(join(tmpdir(), 'ssec-chromium-'))
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${profile}`,
      `--ignore-certificate-errors-spki-list=${trusted}`,
      '--virtual-time-budget=10000',
      '--dump-dom',
    ]
    const { code, stdout, stderr } = await run('/usr/bin/chromium', [...flags, url], { env: { HOME: profile } })
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    return code === 0 ? stdout.toString() : `chromium ended with ${code}: ${stderr.slice(-1000)}`
  }
}
