import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import type { Client } from './client.js'
import { commandSession } from './command-program.js'
import { namesFor } from './resolve-names.js'

const SCRIPT = fileURLToPath(new URL('boto3_client.py', import.meta.url))

/** boto3, in a process that answers one command after the other. */
export function boto3(name: string, python: string): Client {
  return {
    name,
    version: async () =>
      `boto3 ${(await runWell(python, ['-c', 'import boto3; print(boto3.__version__)'])).stdout.toString().trim()}`,
    limits: { 'second sync': 'has no sync' },
    styles: ['path', 'virtual-hosted'],
    open: async (access, folder) =>
      commandSession(access, folder, {
        name: 'boto3',
        program: python,
        args: [SCRIPT],
        env: namesFor(access, folder),
      }),
  }
}
