import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { outputOf } from './child.js'
import { GIB } from './content.js'
import type { Options } from './options.js'
import type { Rivals } from './rivals/rivals.js'
import { ROOT } from './root.js'
import type { Nginx } from './start-nginx.js'

/** Where and with what a run was made. */
export async function settingOf(options: Options, nginx: Nginx, rivals: Rivals): Promise<Record<string, string>> {
  const node = await outputOf(options.node, ['-p', '`${process.version}, OpenSSL ${process.versions.openssl}`'])
  if (node.type === 'failed') throw new Error(`${options.node} cannot be run: ${node.reason}`)
  const commit = await outputOf('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
  const changed = await outputOf('git', ['-C', ROOT, 'status', '--porcelain', '--', 'src', 'bench'])
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / GIB).toFixed(0)} GiB, ${type()} ${release()}`,
    'load average at the start': loadavg()
      .map((load) => load.toFixed(1))
      .join(' '),
    'proxy runs on node': node.text,
    'load and S3 stand-in run on node': `${process.version}, OpenSSL ${process.versions.openssl}`,
    nginx: nginx.type === 'present' ? nginx.version : 'absent',
    ...rivals.setting,
    commit: `${textOf(commit)}${textOf(changed) === '' ? '' : ', with changes that are not committed'}`,
    windows: `median of ${options.rounds} × ${options.windowMs / 1000} s; memory ${options.memoryMs === Infinity ? 'to the end' : `${options.memoryMs / 1000} s`}`,
  }
}

const textOf = (output: Awaited<ReturnType<typeof outputOf>>): string =>
  output.type === 'said' ? output.text : 'unknown'
