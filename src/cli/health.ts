import { createConnection } from 'node:net'
import { request } from 'node:http'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { diskFiles, failureReason } from '../config/files.js'
import { parseYaml } from '../config/yaml.js'
import { hostAndPort } from '../server/listen.js'
import { faultOf } from '../server/start-error.js'
import type { CliIo } from './io.js'
import type { ExitCode } from './main.js'

/** `health`: for a container's health check, which has no curl. */
export function registerHealthCommand(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('health')
    .description('ask the proxy that runs with this configuration, on this machine, whether it is healthy')
    .requiredOption('--config <file>', 'the configuration that it runs with')
    .option('--ready', 'ask whether it takes requests, which it does not while it drains', false)
    .action(async ({ config, ready }: { config: string; ready: boolean }) => {
      exit.code = await health(config, ready ? '/readyz' : '/healthz', io)
    })
}

/** Where to ask. */
export type HealthPlace =
  | { readonly type: 'admin'; readonly host: string; readonly port: number }
  /** Without an admin listener: whether connections are taken. */
  | { readonly type: 'listener'; readonly host: string; readonly port: number }
  | { readonly type: 'socket'; readonly path: string }
  | { readonly type: 'unknown' }

/** @returns the exit code: 0 healthy, 1 not */
export async function health(file: string, path: '/healthz' | '/readyz', io: CliIo): Promise<number> {
  let text
  try {
    text = diskFiles.readText(file)
  } catch (error) {
    io.stderr(`${file}: cannot be read: ${failureReason(error)}\n`)
    return 1
  }
  const place = healthPlace(text, dirname(resolve(file)))
  if (place.type === 'unknown') {
    io.stderr(
      `${file}: no admin listener with a port, and no listener either; \`ssec-proxy check\` says what is wrong\n`,
    )
    return 1
  }
  const { healthy, line } = await ask(place, path)
  if (healthy) io.stdout(`${line}\n`)
  else io.stderr(`${line}\n`)
  return healthy ? 0 : 1
}

/**
 * Looks at nothing of the configuration but the place: what somebody has broken in it since does not make a running
 * proxy ill, and no secret is read.
 */
export function healthPlace(text: string, directory: string): HealthPlace {
  const yaml = parseYaml(text)
  const document = yaml.type === 'value' ? yaml.value : undefined
  const admin = field(document, 'admin')
  const adminPort = portOf(admin)
  if (adminPort !== 0) return { type: 'admin', host: reachable(field(admin, 'host')), port: adminPort }
  const first = field(field(document, 'listeners'), '0')
  for (const listener of [field(first, 'https'), field(first, 'http')]) {
    const port = portOf(listener)
    if (port !== 0) return { type: 'listener', host: reachable(field(listener, 'host')), port }
  }
  const path = field(field(first, 'unix'), 'path')
  return typeof path === 'string' ? { type: 'socket', path: resolve(directory, path) } : { type: 'unknown' }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined

function portOf(value: unknown): number {
  const port = field(value, 'port')
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
}

/** An address to listen on may stand for all of them; the one to connect to is this machine's. */
function reachable(host: unknown): string {
  if (typeof host !== 'string' || host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

interface Answer {
  readonly healthy: boolean
  readonly line: string
}

const LONGEST_MS = 4_000

function ask(place: Exclude<HealthPlace, { type: 'unknown' }>, path: string): Promise<Answer> {
  if (place.type === 'admin') return askAdmin(place.host, place.port, path)
  const [where, options] =
    place.type === 'socket'
      ? [place.path, { path: place.path }]
      : [hostAndPort(place.host, place.port), { host: place.host, port: place.port }]
  return new Promise((resolve) => {
    const socket = createConnection({ ...options, timeout: LONGEST_MS })
    const end = (healthy: boolean, line: string) => {
      socket.destroy()
      resolve({ healthy, line: `${where}: ${line}` })
    }
    socket.once('connect', () => end(true, 'takes connections'))
    socket.once('timeout', () => end(false, 'no answer in 4 s'))
    socket.once('error', (error) => end(false, faultOf(error)))
  })
}

function askAdmin(host: string, port: number, path: string): Promise<Answer> {
  const where = `${hostAndPort(host, port)}${path}`
  return new Promise((resolve) => {
    const asked = request({ host, port, path, agent: false, timeout: LONGEST_MS }, (response) => {
      response.resume()
      resolve({ healthy: response.statusCode === 200, line: `${where}: ${response.statusCode ?? 'no status'}` })
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer in 4 s')))
    asked.once('error', (error) => resolve({ healthy: false, line: `${where}: ${faultOf(error)}` }))
    asked.end()
  })
}
