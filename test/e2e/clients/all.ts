import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { awsCli } from './aws-cli.js'
import { awsSdk } from './aws-sdk.js'
import { awsSdkV2 } from './aws-sdk-v2.js'
import { boto3 } from './boto3.js'
import type { Client } from './client.js'
import { curl } from './curl.js'
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

export const ALL_CLIENTS = (): readonly Client[] => [
  curl,
  debianBoto3,
  newBoto3(),
  debianAwsCli,
  newAwsCli(),
  s3cmd,
  rclone,
  s3fs,
  awsSdk,
  awsSdkV2('v4'),
  ruby,
]
