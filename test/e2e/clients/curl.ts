import { runWell } from '../../support/run-program.js'
import { encodeKey, type Access, type Client, type Session } from './client.js'
import { namesFor } from './resolve-names.js'

const PROGRAM = '/usr/bin/curl'

/** S3 demands the header, and curl 7.88, Debian 12's, does not add it by itself. */
const UNSIGNED = 'x-amz-content-sha256: UNSIGNED-PAYLOAD'

export const curl: Client = {
  name: 'curl',
  version: async () => (await runWell(PROGRAM, ['--version'])).stdout.toString().split(' ').slice(0, 2).join(' '),
  limits: {
    presigned: 'cannot make one (opens those of the others)',
    rename: 'is a copy and a delete',
    'second sync': 'has no sync',
  },
  styles: ['path', 'virtual-hosted'],
  open: async (access, folder) => session(access, folder),
}

function session(access: Access, folder: string): Session {
  const { scheme, hostname, port, bucket, style, caFile, region } = access
  const base = style === 'path' ? `${hostname}:${port}/${bucket}` : `${bucket}.${hostname}:${port}`
  const url = (objectKey: string): string => `${scheme}://${base}/${encodeKey(objectKey)}`
  // The secret goes in by stdin, not on the command line, where everybody sees it.
  const input = `user = "${access.accessKeyId}:${access.secretAccessKey}"\n`
  const common = ['-K', '-', '--silent', '--show-error', '--fail-with-body', '--path-as-is', '--aws-sigv4']
  const curl = (...args: string[]) =>
    runWell(PROGRAM, [...common, `aws:amz:${region}:s3`, '--header', UNSIGNED, '--cacert', caFile, ...args], {
      input,
      env: { HOME: folder, ...namesFor(access, folder) },
    })
  return {
    // --upload-file appends the file's name to a URL that ends in a slash
    put: (file, objectKey) =>
      objectKey.endsWith('/')
        ? curl('--request', 'PUT', '--data-binary', `@${file}`, url(objectKey))
        : curl('--upload-file', file, url(objectKey)),
    get: (objectKey, file) => curl('--output', file, url(objectKey)),
    remove: (objectKey) => curl('--request', 'DELETE', url(objectKey)),
    list: async () => {
      const { stdout } = await curl(`${scheme}://${base}${style === 'path' ? '' : '/'}?encoding-type=url&list-type=2`)
      return [...stdout.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) =>
        // radosgw escapes for XML what is already escaped for URLs
        decodeURIComponent(key.replaceAll('+', ' ').replaceAll('&apos;', "'").replaceAll('&amp;', '&')),
      )
    },
    copy: (from, to) =>
      curl('--request', 'PUT', '--header', `x-amz-copy-source: /${bucket}/${encodeKey(from)}`, url(to)),
    range: async (objectKey, first, last) => (await curl('--range', `${first}-${last}`, url(objectKey))).stdout,
  }
}
