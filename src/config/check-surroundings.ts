import { dirname, resolve } from 'node:path'
import { LONGEST_LIFETIME_MS, parseDuration } from './duration.js'
import type { Files } from './files.js'
import type { Finding } from './problem.js'
import type { Pattern, View } from './view.js'

const DURATIONS = [
  ...['connectTimeout', 'idleTimeout', 'keepAlive'].map((name) => ['upstream', name]),
  ...['timeout', 'startTimeout', 'ttl', 'stale'].map((name) => ['keyrings', '*', 'kms', name]),
  ...['headers', 'clientIdle', 'keepAlive', 'drain'].map((name) => ['timeouts', name]),
]

export function checkDurations(view: View): readonly Finding[] {
  const tooLong = (patterns: readonly Pattern[], longestMs?: number) =>
    patterns
      .flatMap((pattern) => view.texts(pattern))
      .filter(({ value }) => parseDuration(value, longestMs) === 'invalid')
  return [
    ...tooLong(DURATIONS).map(({ at }) => ({ at, message: 'must be at most 24h' })),
    ...tooLong([['identities', '*', 'presignedV2Lifetime']], LONGEST_LIFETIME_MS).map(({ at }) => ({
      at,
      message: 'must be at most 87600h',
    })),
  ]
}

const FILES = [
  ...['cert', 'key', 'clientCa'].map((name) => ['listeners', '*', 'https', name]),
  ['upstream', 'ca'],
  ['keyrings', '*', 'file'],
  ['keyrings', '*', 'kms', 'ca'],
  ['tracing', 'ca'],
]

/** `sun_path` of Linux has 108 bytes, one of them a zero; a longer path is cut off silently. */
const LONGEST_SOCKET = 107

/** Files that are named are there; what is in them is for those who read them. */
export function checkFiles(view: View, kindOf: Files['kindOf'], baseDirectory: string): readonly Finding[] {
  const missing = FILES.flatMap((pattern) => view.texts(pattern)).flatMap(({ at, value }): Finding[] => {
    const path = resolve(baseDirectory, value)
    const kind = kindOf(path)
    if (kind === 'missing') return [{ at, message: `is not there, or out of reach: ${path}` }]
    return kind === 'directory' ? [{ at, message: `is a directory, not a file: ${path}` }] : []
  })
  const sockets = view.texts(['listeners', '*', 'unix', 'path']).flatMap(({ at, value }): Finding[] => {
    const path = resolve(baseDirectory, value)
    if (Buffer.byteLength(path) > LONGEST_SOCKET) {
      return [{ at, message: `is longer than the ${LONGEST_SOCKET} bytes of a socket's path: ${path}` }]
    }
    return kindOf(dirname(path)) === 'directory'
      ? []
      : [{ at, message: `is in a directory that is not there: ${dirname(path)}` }]
  })
  const audit = view.texts(['audit', 'file']).flatMap(({ at, value }): Finding[] => {
    const path = resolve(baseDirectory, value)
    if (kindOf(path) === 'directory') return [{ at, message: `is a directory, not a file: ${path}` }]
    return kindOf(dirname(path)) === 'directory'
      ? []
      : [{ at, message: `is in a directory that is not there: ${dirname(path)}` }]
  })
  return [...missing, ...sockets, ...audit]
}

/** Settings of the process that would make every promise about TLS void. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>>): readonly Finding[] {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return []
  return [
    {
      at: ['env', 'NODE_TLS_REJECT_UNAUTHORIZED'],
      message: 'is 0: certificates would not be checked; unset it, and name an own CA in upstream.ca',
    },
  ]
}
