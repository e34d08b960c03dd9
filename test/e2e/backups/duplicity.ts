import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runWell } from '../../support/run-program.js'
import { endpointOf, type Access } from '../clients/client.js'
import type { BackupSession, BackupTool } from './backup-tool.js'

const PROGRAM = '/usr/bin/duplicity'

/** duplicity over boto3, or over the older boto, which signs with version 2. Without its own encryption. */
export const duplicity = (name: string, backend: 'boto3' | 'boto'): BackupTool => ({
  name,
  version: async () => (await runWell(PROGRAM, ['--version'])).stdout.toString(),
  ...(backend === 'boto' ? { signatures: 'v2' } : {}),
  limits: {},
  open: async (access, folder) => session(backend, access, folder),
})

function session(backend: 'boto3' | 'boto', access: Access, folder: string): BackupSession {
  const config = join(folder, 'config')
  writeFileSync(config, '[default]\ns3 =\n  addressing_style = path\n')
  const env = {
    HOME: folder,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CA_BUNDLE: access.caFile,
    // boto's own option for the CA does nothing on Python 3
    SSL_CERT_FILE: access.caFile,
  }
  const url =
    backend === 'boto3'
      ? `boto3+s3://${access.bucket}/backups`
      : `s3://${access.hostname}:${access.port}/${access.bucket}/backups`
  const places = ['--archive-dir', join(folder, 'archive'), '--tempdir', folder, '--no-encryption']
  const options = [
    ...places,
    ...['--volsize', '8', '--num-retries', '2'],
    ...(backend === 'boto3' ? ['--s3-endpoint-url', endpointOf(access), '--s3-region-name', access.region] : []),
  ]
  const duplicity = (...args: string[]) => runWell(PROGRAM, [...args, ...options], { env })
  return {
    backup: (from) => duplicity(from, url),
    list: async () => {
      const { stdout } = await duplicity('collection-status', url)
      return [...stdout.toString().matchAll(/^ *(Full|Incremental) /gm)].length
    },
    verify: (from) => duplicity('verify', '--compare-data', url, from),
    restore: async (to) => {
      await duplicity('restore', '--force', url, to)
      return to
    },
    // an increment cannot stay without the backup before it
    prune: async (from) => {
      await nextSecond()
      await duplicity('full', from, url)
      await duplicity('remove-all-but-n-full', '1', '--force', url)
    },
  }
}

/**
 * duplicity knows its backups by the second in which each began, and only an increment waits for a new one: a full backup
 * in the second of an increment leaves chains that it fails on ever after, with an AssertionError.
 */
async function nextSecond(): Promise<void> {
  const second = (): number => Math.floor(Date.now() / 1000)
  const before = second()
  while (second() <= before) await sleep(1000 - (Date.now() % 1000))
}
