import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackupTool } from '../backups/backup-tool.js'
import { duplicity } from '../backups/duplicity.js'
import { restic } from '../backups/restic.js'
import { amazonS3 } from './amazon-s3.js'
import { awsCli } from './aws-cli.js'
import { awsSdk } from './aws-sdk.js'
import { awsSdkV2 } from './aws-sdk-v2.js'
import { boto2 } from './boto2.js'
import { boto3 } from './boto3.js'
import type { Client } from './client.js'
import { curl } from './curl.js'
import { goSdk } from './go.js'
import { javaSdk } from './java.js'
import { libs3 } from './libs3.js'
import { rclone } from './rclone.js'
import { ruby } from './ruby.js'
import { s3cmd } from './s3cmd.js'
import { s3fs } from './s3fs.js'

/** Where scripts/e2e-programs puts the Python clients that are newer than Debian's. */
const NEW_PYTHON = fileURLToPath(new URL('../../../node_modules/.cache/ssec-proxy-e2e/python', import.meta.url))

const newProgram = (name: string): string => {
  const program = join(NEW_PYTHON, 'bin', name)
  if (!existsSync(program)) throw new Error(`${program} is missing: run scripts/e2e-programs`)
  return program
}

/** Debian's, by their own paths: other Pythons may come first on the machine. */
export const debianAwsCli = awsCli('aws (Debian)', '/usr/bin/aws')
export const debianBoto3 = boto3('boto3 (Debian)', '/usr/bin/python3')
export const newAwsCli = (): Client => awsCli('aws (new)', newProgram('aws'))
export const newBoto3 = (): Client => boto3('boto3 (new)', newProgram('python3'))

export const rcloneOther = rclone('rclone', { provider: 'Other', signatures: 'v4' })
export const rcloneAws = rclone('rclone, provider AWS', { provider: 'AWS', signatures: 'v4' })
export const s3fsV4 = s3fs('s3fs', { signatures: 'v4' })
export const s3fsContentMd5 = s3fs('s3fs, enable_content_md5', { signatures: 'v4', contentMd5: true })
export const s3cmdV4 = s3cmd('s3cmd', 'v4')

/** curl, and what AWS makes for Python and the shell. */
export const PYTHON_CLIENTS = (): readonly Client[] => [curl, debianBoto3, newBoto3(), debianAwsCli, newAwsCli()]

/** Programs for files and buckets, with both versions of the signature. */
export const FILE_TOOLS: readonly Client[] = [
  s3cmdV4,
  s3cmd('s3cmd, V2', 'v2'),
  rcloneOther,
  rclone('rclone, V2', { provider: 'Other', signatures: 'v2' }),
  rcloneAws,
]

/** A file system, and a tool for single requests. */
export const OTHER_TOOLS: readonly Client[] = [s3fsV4, s3fs('s3fs, V2', { signatures: 'v2' }), s3fsContentMd5, libs3]

/** Libraries, of AWS and others. */
export const SDKS: readonly Client[] = [
  awsSdk,
  awsSdkV2('v4'),
  awsSdkV2('v2'),
  ruby,
  goSdk,
  javaSdk('Java SDK 1 (first of 1.11)', '1.11.0'),
  javaSdk('Java SDK 1 (last)', '1.12.797'),
  javaSdk('Java SDK 2', '2.57.8'),
  boto2('boto 2', 'v4'),
  boto2('boto 2, V2', 'v2'),
  amazonS3,
]

export const BACKUP_TOOLS: readonly BackupTool[] = [
  restic,
  duplicity('duplicity over boto3', 'boto3'),
  duplicity('duplicity over boto 2', 'boto'),
]
