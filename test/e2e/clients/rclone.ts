import { join } from 'node:path'
import { runWell } from '../../support/run-program.js'
import { endpointOf, limited, type Access, type Client, type Session } from './client.js'
import { namesFor } from './resolve-names.js'

const PROGRAM = '/usr/bin/rclone'

export interface RcloneOptions {
  readonly provider: 'Other' | 'AWS'
  readonly signatures: 'v4' | 'v2'
}

export function rclone(name: string, options: RcloneOptions): Client {
  const limits = {
    'key: a//b': 'tidies the path',
    'key: ../x': 'tidies the path',
    'key: slash at end': 'takes it for a folder',
    ...(options.signatures === 'v2' ? { presigned: 'signs URLs with version 4 only' } : {}),
  }
  return {
    name,
    version: async () => (await runWell(PROGRAM, ['version'])).stdout.toString().split('\n')[0]!,
    limits,
    ...(options.provider === 'AWS' ? { insists: limited(IN_PARTS, TAKES_FOR_MD5) } : {}),
    ...(options.signatures === 'v2' ? { signatures: 'v2' } : {}),
    styles: stylesOf(options),
    open: async (access, folder) => session(options, access, folder),
  }
}

function stylesOf({ provider, signatures }: RcloneOptions): Client['styles'] {
  // as AWS it leaves path style alone, whatever it is told
  if (provider === 'AWS') return ['virtual-hosted']
  // it forgets the bucket of the host in what it signs with version 2
  return signatures === 'v2' ? ['path'] : ['path', 'virtual-hosted']
}

const IN_PARTS = ['large', 'second sync'] as const
const TAKES_FOR_MD5 = 'compares the ETag of an upload in parts with the MD5 of the parts, and fails'

function session({ provider, signatures }: RcloneOptions, access: Access, folder: string): Session {
  const env = {
    HOME: folder,
    RCLONE_CONFIG: join(folder, 'none'),
    RCLONE_CONFIG_S_TYPE: 's3',
    RCLONE_CONFIG_S_PROVIDER: provider,
    RCLONE_CONFIG_S_V2_AUTH: String(signatures === 'v2'),
    RCLONE_CONFIG_S_ENDPOINT: endpointOf(access),
    RCLONE_CONFIG_S_REGION: access.region,
    RCLONE_CONFIG_S_ACCESS_KEY_ID: access.accessKeyId,
    RCLONE_CONFIG_S_SECRET_ACCESS_KEY: access.secretAccessKey,
    RCLONE_CONFIG_S_FORCE_PATH_STYLE: String(access.style === 'path'),
    RCLONE_CONFIG_S_UPLOAD_CUTOFF: '8M',
    RCLONE_CONFIG_S_CHUNK_SIZE: '8M',
    RCLONE_CONFIG_S_COPY_CUTOFF: '8M',
    RCLONE_RETRIES: '1',
    RCLONE_LOW_LEVEL_RETRIES: '1',
    ...(access.scheme === 'https' ? { RCLONE_CA_CERT: access.caFile } : {}),
    ...namesFor(access, folder),
  }
  const rclone = (...args: string[]) => runWell(PROGRAM, args, { env })
  const url = (objectKey: string): string => `s:${access.bucket}/${objectKey}`
  return {
    put: (file, objectKey) => rclone('copyto', file, url(objectKey)),
    get: (objectKey, file) => rclone('copyto', url(objectKey), file),
    remove: (objectKey) => rclone('deletefile', url(objectKey)),
    list: async () => {
      const { stdout } = await rclone('lsf', '--recursive', '--files-only', `s:${access.bucket}`)
      return stdout
        .toString()
        .split('\n')
        .filter((line) => line !== '')
    },
    copy: (from, to) => rclone('copyto', url(from), url(to)),
    move: (from, to) => rclone('moveto', url(from), url(to)),
    range: async (objectKey, first, last) =>
      (await rclone('cat', '--offset', String(first), '--count', String(last - first + 1), url(objectKey))).stdout,
    presign: async (objectKey) => (await rclone('link', '--expire', '10m', url(objectKey))).stdout.toString().trim(),
    sync: (from, prefix) => rclone('sync', from, url(prefix)),
  }
}
