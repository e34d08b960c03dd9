import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { plainEnvironment, runWell } from '../../support/run-program.js'
import { endpointOf, type Access, type Client, type Session } from './client.js'
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
    open: async (access, folder) => session(python, access, folder),
  }
}

function session(python: string, access: Access, folder: string): Session {
  const options = {
    endpoint: endpointOf(access),
    region: access.region,
    ca: access.scheme === 'https' ? access.caFile : false,
    style: access.style,
    bucket: access.bucket,
  }
  const child = spawn(python, [SCRIPT, JSON.stringify(options)], {
    env: plainEnvironment({
      HOME: folder,
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_ACCESS_KEY_ID: access.accessKeyId,
      AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...namesFor(access, folder),
    }),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (...command: unknown[]): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    const line = await lines.next()
    if (line.done === true) throw new Error('boto3: the process has ended')
    const answer = JSON.parse(line.value) as { value?: unknown; error?: string }
    if (answer.error !== undefined) throw new Error(`boto3: ${answer.error}`)
    return answer.value
  }
  return {
    put: (file, objectKey) => ask('put', file, objectKey),
    get: (objectKey, file) => ask('get', objectKey, file),
    remove: (objectKey) => ask('remove', objectKey),
    list: async () => (await ask('list')) as string[],
    copy: (from, to) => ask('copy', from, to),
    move: (from, to) => ask('move', from, to),
    range: async (objectKey, first, last) => Buffer.from((await ask('range', objectKey, first, last)) as string, 'hex'),
    presign: async (objectKey) => (await ask('presign', objectKey)) as string,
    close: async () => {
      child.stdin.end()
      await ended
    },
  }
}
