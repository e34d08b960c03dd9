import { runWell } from '../../support/run-program.js'
import type { Access, Client, Session } from './client.js'
import { namesFor } from './resolve-names.js'

const PROGRAM = '/usr/bin/s3'

/** The `s3` tool of libs3. It does not verify TLS certificates, of nobody. */
export const libs3: Client = {
  name: 'libs3',
  // it says nothing itself
  version: async () =>
    `libs3 ${(await runWell('dpkg-query', ['-W', '-f', '${Version}', 'libs3-2'])).stdout.toString()}`,
  limits: { 'key: ../x': 'tidies the path', rename: 'is a copy and a delete', 'second sync': 'has no sync' },
  // it pads names with spaces, and shows 1023 bytes
  lists: (objectKey) => objectKey.trimEnd().slice(0, 1023),
  signatures: 'v2',
  styles: ['path', 'virtual-hosted'],
  open: async (access, folder) => session(access, folder),
}

function session(access: Access, folder: string): Session {
  const { bucket } = access
  const env = {
    HOME: folder,
    S3_HOSTNAME: `${access.hostname}:${access.port}`,
    S3_ACCESS_KEY_ID: access.accessKeyId,
    S3_SECRET_ACCESS_KEY: access.secretAccessKey,
    ...namesFor(access, folder),
  }
  const flags = [
    ...['-f', '-r', '1'],
    ...(access.scheme === 'http' ? ['-u'] : []),
    ...(access.style === 'virtual-hosted' ? ['-h'] : []),
  ]
  const s3 = (...args: string[]) => runWell(PROGRAM, [...flags, ...args], { env })
  const named = (objectKey: string): string => `${bucket}/${objectKey}`
  return {
    put: (file, objectKey) => s3('put', named(objectKey), `filename=${file}`),
    get: (objectKey, file) => s3('get', named(objectKey), `filename=${file}`),
    remove: (objectKey) => s3('delete', named(objectKey)),
    list: async () => {
      const { stdout } = await s3('list', bucket)
      const lines = stdout.toString().split('\n').slice(2)
      // the longest names run into the date
      return lines.map((line) => line.replace(/ *\d{4}-\d\d-\d\dT\S+ +\S+ *$/, ''))
    },
    copy: (from, to) => s3('copy', named(from), named(to)),
    range: async (objectKey, first, last) =>
      (await s3('get', named(objectKey), `startByte=${first}`, `byteCount=${last - first + 1}`)).stdout,
    presign: async (objectKey) => (await s3('gqs', named(objectKey))).stdout.toString().trim(),
  }
}
