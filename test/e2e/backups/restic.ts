import { join } from 'node:path'
import { runWell } from '../../support/run-program.js'
import { endpointOf, type Access } from '../clients/client.js'
import type { BackupSession, BackupTool } from './backup-tool.js'

const PROGRAM = '/usr/bin/restic'

export const restic: BackupTool = {
  name: 'restic',
  version: async () => (await runWell(PROGRAM, ['version'])).stdout.toString(),
  limits: {},
  open: async (access, folder) => session(access, folder),
}

async function session(access: Access, folder: string): Promise<BackupSession> {
  const env = {
    HOME: folder,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_DEFAULT_REGION: access.region,
    RESTIC_REPOSITORY: `s3:${endpointOf(access)}/${access.bucket}/backups`,
    RESTIC_PASSWORD: 'of the test',
    RESTIC_CACHE_DIR: join(folder, 'cache'),
  }
  const restic = (...args: string[]) => runWell(PROGRAM, ['--cacert', access.caFile, ...args], { env })
  await restic('init')
  let source = ''
  return {
    backup: (from) => {
      source = from
      return restic('backup', from)
    },
    list: async () => {
      const found = JSON.parse((await restic('snapshots', '--json')).stdout.toString()) as unknown[]
      return found.length
    },
    verify: () => restic('check', '--read-data'),
    restore: async (to) => {
      await restic('restore', 'latest', '--target', to)
      return join(to, source)
    },
    prune: () => restic('forget', '--keep-last', '1', '--prune'),
  }
}
