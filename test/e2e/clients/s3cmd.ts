import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runWell } from '../../support/run-program.js'
import type { Access, Client, Session } from './client.js'
import { namesFor } from './resolve-names.js'

const PROGRAM = '/usr/bin/s3cmd'

/** It signs URLs with version 2 whatever it is told, so its identity must allow that in either case. */
export const s3cmd = (name: string, signatures: 'v4' | 'v2'): Client => ({
  name,
  version: async () => (await runWell(PROGRAM, ['--version'])).stdout.toString().trim().replace(' version', ''),
  limits: { 'key: slash at end': 'takes it for a folder' },
  signatures: 'v2',
  styles: ['path', 'virtual-hosted'],
  open: async (access, folder) => session(signatures, access, folder),
})

function session(signatures: 'v4' | 'v2', access: Access, folder: string): Session {
  const { bucket, scheme, hostname, port, style } = access
  const config = join(folder, 's3cfg')
  const lines = {
    access_key: access.accessKeyId,
    secret_key: access.secretAccessKey,
    host_base: `${hostname}:${port}`,
    host_bucket: style === 'path' ? `${hostname}:${port}` : `%(bucket)s.${hostname}:${port}`,
    bucket_location: access.region,
    use_https: scheme === 'https' ? 'True' : 'False',
    ca_certs_file: access.caFile,
    signurl_use_https: scheme === 'https' ? 'True' : 'False',
    signature_v2: signatures === 'v2' ? 'True' : 'False',
    multipart_chunk_size_mb: '8',
    max_retries: '1',
  }
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(config, `[default]\n${text.join('')}`, { mode: 0o600 })
  const env = { HOME: folder, ...namesFor(access, folder) }
  const s3cmd = (...args: string[]) => runWell(PROGRAM, ['-c', config, '--no-progress', ...args], { env })
  const url = (objectKey: string): string => `s3://${bucket}/${objectKey}`
  return {
    put: (file, objectKey) => s3cmd('put', file, url(objectKey)),
    get: (objectKey, file) => s3cmd('get', '--force', url(objectKey), file),
    remove: (objectKey) => s3cmd('del', url(objectKey)),
    list: async () => {
      const { stdout } = await s3cmd('ls', '--recursive', `s3://${bucket}`)
      const start = `s3://${bucket}/`
      return stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes(start))
        .map((line) => line.slice(line.indexOf(start) + start.length))
    },
    copy: (from, to) => s3cmd('cp', url(from), url(to)),
    move: (from, to) => s3cmd('mv', url(from), url(to)),
    // there is no option for a range, but a download that is continued asks for one
    range: async (objectKey, first, last) => {
      const file = join(folder, 'continued')
      await s3cmd('get', '--force', url(objectKey), file)
      const whole = readFileSync(file)
      writeFileSync(file, whole.subarray(0, first))
      await s3cmd('get', '--continue', url(objectKey), file)
      return readFileSync(file).subarray(first, last + 1)
    },
    presign: async (objectKey) => (await s3cmd('signurl', url(objectKey), '+600')).stdout.toString().trim(),
    sync: (from, prefix) => s3cmd('sync', `${from}/`, url(`${prefix}/`)),
  }
}
