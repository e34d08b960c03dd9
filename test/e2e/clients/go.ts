import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import type { Client } from './client.js'
import { commandSession } from './command-program.js'

/** Where scripts/e2e-programs builds it. */
const PROGRAM = fileURLToPath(
  new URL('../../../node_modules/.cache/ssec-proxy-e2e/aws-sdk-go-v1/program', import.meta.url),
)

/** Go's aws-sdk v1 with s3manager, in a process that answers one command after the other. */
export const goSdk: Client = {
  name: 'aws-sdk-go v1',
  missing: () =>
    existsSync(PROGRAM) ? undefined : 'it is not built: scripts/e2e-programs builds it where there is Go',
  version: async () => `aws-sdk-go ${(await runWell(PROGRAM, ['version'])).stdout.toString().trim()}`,
  limits: { 'second sync': 'has no sync' },
  styles: ['path', 'virtual-hosted'],
  open: async (access, folder) => commandSession(access, folder, { name: 'aws-sdk-go', program: PROGRAM, args: [] }),
}
