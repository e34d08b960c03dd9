import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { transcript } from '../../support/record.js'
import { plainEnvironment, run, runWell } from '../../support/run-program.js'
import { endpointOf, limited, type Access, type Client, type Session } from './client.js'
import { namesFor } from './resolve-names.js'

const PROGRAM = '/usr/bin/s3fs'

export interface S3fsOptions {
  readonly signatures: 'v4' | 'v2'
  /** `enable_content_md5`: it sends Content-MD5, and compares the ETags of parts. */
  readonly contentMd5?: boolean
}

/** A bucket as a file system. */
export const s3fs = (name: string, options: S3fsOptions): Client => ({
  name,
  version: async () =>
    /V[\d.]+/.exec((await runWell(PROGRAM, ['--version'])).stdout.toString())![0].replace('V', 's3fs '),
  limits: {
    'key: a//b': 'is not a file name',
    'key: ../x': 'is not a file name',
    'key: slash at end': 'is not a file name',
    'key: 1024 bytes': 'takes names of up to 1023 bytes',
    copy: 'reads and writes it',
    'copy of a large object': 'reads and writes it',
    presigned: 'is a file system',
    'second sync': 'is a file system',
  },
  ...(options.contentMd5 === true
    ? { insists: limited(['large', 'range'], 'compares the ETag of each part with its MD5, and fails') }
    : {}),
  ...(options.signatures === 'v2' ? { signatures: 'v2' } : {}),
  styles: ['path', 'virtual-hosted'],
  open: (access, folder) => mount(options, access, folder),
})

async function mount({ signatures, contentMd5 }: S3fsOptions, access: Access, folder: string): Promise<Session> {
  const place = join(folder, 'mounted')
  await mkdir(place)
  const passwords = join(folder, 'passwd')
  writeFileSync(passwords, `${access.accessKeyId}:${access.secretAccessKey}\n`, { mode: 0o600 })
  const options = {
    url: endpointOf(access),
    endpoint: access.region,
    passwd_file: passwords,
    multipart_size: '8',
    // it does not give libcurl the CA at its very first try
    retries: '3',
    stat_cache_expire: '1',
    tmpdir: folder,
  }
  const flags = [
    signatures === 'v2' ? 'sigv2' : 'sigv4',
    ...(access.style === 'path' ? ['use_path_request_style'] : []),
    ...(contentMd5 === true ? ['enable_content_md5'] : []),
  ]
  const args = [...Object.entries(options).map(([name, value]) => `${name}=${value}`), ...flags]
  const logFile = transcript('s3fs', join(folder, 'log'))
  const log = openSync(logFile, 'a')
  const child = spawn(PROGRAM, [access.bucket, place, '-f', '-o', args.join(',')], {
    env: plainEnvironment({ HOME: folder, CURL_CA_BUNDLE: access.caFile, ...namesFor(access, folder) }),
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = once(child, 'exit')
  const outside = await stat(folder)
  const mounted = (): Promise<boolean> =>
    stat(place).then(
      ({ dev }) => dev !== outside.dev,
      () => false,
    )
  for (const end = Date.now() + 20_000; !(await mounted());) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill('SIGKILL')
      throw new Error(`s3fs did not mount: ${readFileSync(logFile, 'utf8').slice(-1000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const at = (objectKey: string): string => join(place, objectKey)
  // everything here without blocking: the embedded origin that answers may live in this process
  const parents = (objectKey: string): Promise<unknown> => mkdir(join(at(objectKey), '..'), { recursive: true })
  return {
    put: async (file, objectKey) => {
      await parents(objectKey)
      await copyFile(file, at(objectKey))
    },
    get: (objectKey, file) => copyFile(at(objectKey), file),
    remove: (objectKey) => unlink(at(objectKey)),
    list: () => walk(place, ''),
    move: async (from, to) => {
      await parents(to)
      await rename(at(from), at(to))
    },
    range: async (objectKey, first, last) => {
      const file = await open(at(objectKey))
      const bytes = Buffer.alloc(last - first + 1)
      await file.read(bytes, 0, bytes.length, first)
      await file.close()
      return bytes
    },
    close: async () => {
      const { code } = await run('fusermount', ['-u', place])
      if (code !== 0) child.kill('SIGTERM')
      await ended
    },
  }
}

async function walk(place: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(place, prefix), { withFileTypes: true })
  const found = entries.map(async (entry) => {
    const name = `${prefix}${entry.name}`
    return entry.isDirectory() ? walk(place, `${name}/`) : [name]
  })
  return (await Promise.all(found)).flat()
}
