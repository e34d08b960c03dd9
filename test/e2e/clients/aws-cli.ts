import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runWell } from '../../support/run-program.js'
import { endpointOf, type Access, type Client, type Session } from './client.js'
import { namesFor } from './resolve-names.js'

/** The AWS CLI, `aws s3` where it has the command and `aws s3api` where only that takes the object key as it is. */
export function awsCli(name: string, program: string): Client {
  return {
    name,
    version: async () => (await runWell(program, ['--version'])).stdout.toString().split(' ')[0]!.replace('/', ' '),
    limits: {},
    styles: ['path', 'virtual-hosted'],
    open: async (access, folder) => session(program, access, folder),
  }
}

function session(program: string, access: Access, folder: string): Session {
  const config = join(folder, 'config')
  // signature_version: without it new versions presign with SigV2 for an endpoint that is not AWS's
  const s3 = `  addressing_style = ${access.style === 'path' ? 'path' : 'virtual'}\n  signature_version = s3v4\n`
  writeFileSync(config, `[default]\nregion = ${access.region}\ns3 =\n${s3}  multipart_chunksize = 8MB\n`)
  const env = {
    HOME: folder,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '2',
    ...(access.scheme === 'https' ? { AWS_CA_BUNDLE: access.caFile } : {}),
    ...namesFor(access, folder),
  }
  const aws = (...args: string[]) => runWell(program, ['--endpoint-url', endpointOf(access), ...args], { env })
  const { bucket } = access
  const url = (objectKey: string): string => `s3://${bucket}/${objectKey}`
  const named = (objectKey: string): string[] => ['--bucket', bucket, '--key', objectKey]
  const quietly = ['--only-show-errors']
  return {
    // `aws s3 cp` takes an object key that ends in a slash for a folder
    put: (file, objectKey) =>
      objectKey.endsWith('/')
        ? aws('s3api', 'put-object', ...named(objectKey), '--body', file)
        : aws('s3', 'cp', file, url(objectKey), ...quietly),
    get: (objectKey, file) =>
      objectKey.endsWith('/')
        ? aws('s3api', 'get-object', ...named(objectKey), file)
        : aws('s3', 'cp', url(objectKey), file, ...quietly),
    remove: (objectKey) => aws('s3api', 'delete-object', ...named(objectKey)),
    list: async () => {
      const { stdout } = await aws('s3api', 'list-objects-v2', '--bucket', bucket, '--output', 'json')
      const answer = JSON.parse(stdout.toString() || '{}') as { Contents?: { Key: string }[] }
      return (answer.Contents ?? []).map(({ Key }) => Key)
    },
    copy: (from, to) => aws('s3', 'cp', url(from), url(to), ...quietly),
    move: (from, to) => aws('s3', 'mv', url(from), url(to), ...quietly),
    range: async (objectKey, first, last) => {
      mkdirSync(join(folder, 'out'), { recursive: true })
      const file = join(folder, 'out', 'range')
      await aws('s3api', 'get-object', ...named(objectKey), '--range', `bytes=${first}-${last}`, file)
      return readFileSync(file)
    },
    presign: async (objectKey) =>
      (await aws('s3', 'presign', url(objectKey), '--expires-in', '600')).stdout.toString().trim(),
    sync: (from, prefix) => aws('s3', 'sync', from, url(prefix), ...quietly),
  }
}
