import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Access } from './client.js'

/**
 * The environment in which `bucket.base-domain` leads to this machine: Debian's libnss-wrapper answers glibc's look-ups
 * from a file. Nothing of the machine is changed. Go programs look names up with glibc when GODEBUG says so.
 */
export function namesFor(access: Access, folder: string): Record<string, string> {
  if (access.style === 'path') return {}
  const hosts = join(folder, 'hosts')
  writeFileSync(hosts, `127.0.0.1 ${access.hostname} ${access.bucket}.${access.hostname} localhost\n`)
  return { LD_PRELOAD: 'libnss_wrapper.so', NSS_WRAPPER_HOSTS: hosts, GODEBUG: 'netdns=cgo' }
}

/** For node's agents: every name leads to this machine. */
export const lookup = (_name: string, options: { all?: boolean }, done: (...args: unknown[]) => void): void => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }])
  else done(null, '127.0.0.1', 4)
}
