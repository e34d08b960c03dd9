import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import { limited, STORING, type Client } from './client.js'
import { commandSession } from './command-program.js'

const SCRIPT = fileURLToPath(new URL('amazon_s3_client.pl', import.meta.url))
const PERL = '/usr/bin/perl'

const IN_PARTS = 'takes the ETag of an object that was uploaded in parts for an MD5, and does not read it'

/** Perl's Amazon::S3. */
export const amazonS3: Client = {
  name: 'Amazon::S3',
  version: async () =>
    `Amazon::S3 ${(await runWell(PERL, ['-MAmazon::S3', '-e', 'print $Amazon::S3::VERSION'])).stdout.toString()}`,
  limits: {
    'key: a//b': 'tidies the path before it signs',
    'key: ../x': 'tidies the path before it signs',
    large: IN_PARTS,
    range: 'has no command',
    presigned: 'has no command',
    rename: 'is a copy and a delete',
    'second sync': 'has no sync',
  },
  insists: limited(STORING, 'takes every ETag for an MD5, and does not read the object'),
  styles: ['path'],
  open: async (access, folder) => {
    const { put, get, remove, list, copy, close } = commandSession(access, folder, {
      name: 'Amazon::S3',
      program: PERL,
      args: [SCRIPT],
      env: { PERL_LWP_SSL_CA_FILE: access.caFile },
    })
    return { put, get, remove, list, copy, ...(close === undefined ? {} : { close }) }
  },
}
