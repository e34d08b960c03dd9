import { fileURLToPath } from 'node:url'
import { runWell } from '../../support/run-program.js'
import type { Client } from './client.js'
import { commandSession } from './command-program.js'
import { namesFor } from './resolve-names.js'

const RUBY = '/usr/bin/ruby'
const SCRIPT = fileURLToPath(new URL('ruby_client.rb', import.meta.url))

/** Debian's aws-sdk-s3 for Ruby, in a process that answers one command after the other. */
export const ruby: Client = {
  name: 'aws-sdk-s3 for Ruby',
  version: async () => {
    const { stdout } = await runWell(RUBY, ['-e', 'require "aws-sdk-s3"; print Aws::S3::GEM_VERSION'])
    return `aws-sdk-s3 (Ruby) ${stdout.toString()}`
  },
  limits: { 'second sync': 'has no sync' },
  styles: ['path', 'virtual-hosted'],
  open: async (access, folder) =>
    commandSession(access, folder, {
      name: 'aws-sdk-s3',
      program: RUBY,
      args: [SCRIPT],
      env: namesFor(access, folder),
    }),
}
