import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startPlainServer, type StartedServer } from './plain-server.js'

/** What scripts/e2e-programs installs. */
const PROGRAM = fileURLToPath(new URL('../../node_modules/.cache/ssec-proxy-e2e/moto/bin/moto_server', import.meta.url))

/** Starts moto's AWS, KMS among it, plain http on loopback: TLS is for who stands before it. */
export async function startMoto(): Promise<StartedServer> {
  if (!existsSync(PROGRAM))
    return { type: 'unavailable', reason: 'moto is not installed: scripts/e2e-programs does it' }
  return startPlainServer(PROGRAM, (port) => ({ args: ['-H', '127.0.0.1', '-p', String(port)], env: {} }))
}
