import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import type { Client } from './client.js'
import { commandSession } from './command-program.js'
import { namesFor } from './resolve-names.js'

const SCRIPT = fileURLToPath(new URL('boto2_client.py', import.meta.url))
const PYTHON = '/usr/bin/python3'

const PORT_TWICE = 'signs the port twice in URLs, which the proxy understands and S3 does not'

/** boto, the one before boto3, with signature version 2 (its default) or 4. */
export function boto2(name: string, signatures: 'v4' | 'v2'): Client {
  return {
    name,
    version: async () =>
      `boto ${(await runWell(PYTHON, ['-c', 'import boto; print(boto.__version__)'])).stdout.toString().trim()}`,
    limits: { 'second sync': 'has no sync', 'key: a//b': 'tidies the path' },
    // with version 4 and a port of its own it names the base domain in Host, without the bucket
    styles: signatures === 'v4' ? ['path'] : ['path', 'virtual-hosted'],
    ...(signatures === 'v2' ? { signatures } : { withoutProxy: { presigned: PORT_TWICE } }),
    open: async (access, folder) =>
      commandSession(access, folder, {
        name,
        program: PYTHON,
        args: [SCRIPT],
        // its own option for the CA does nothing on Python 3
        env: { SSL_CERT_FILE: access.caFile, ...namesFor(access, folder) },
        options: { signatures },
      }),
  }
}
