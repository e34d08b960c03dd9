import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { plainEnvironment } from '../../support/run-program.js'
import { endpointOf, type Access, type Session } from './client.js'

/** A program around an SDK. Its last argument is the options, in JSON; it answers each line of stdin with one on stdout. */
export interface CommandProgram {
  /** For errors. */
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Beyond those that all of these programs get. */
  readonly options?: Readonly<Record<string, unknown>>
}

/**
 * Starts the program, which lives as long as the session. A command is `["put", file, objectKey]`, an answer `{"value": …}` or
 * `{"error": "…"}`. The credentials are in the environment, by the names that AWS's SDKs have for them.
 */
export function commandSession(
  access: Access,
  folder: string,
  { name, program, args, env = {}, options = {} }: CommandProgram,
): Session & Required<Pick<Session, 'copy' | 'move' | 'range' | 'presign'>> {
  const all = {
    endpoint: endpointOf(access),
    region: access.region,
    ca: access.scheme === 'https' ? access.caFile : false,
    style: access.style,
    bucket: access.bucket,
    ...options,
  }
  const child = spawn(program, [...args, JSON.stringify(all)], {
    env: plainEnvironment({
      HOME: folder,
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_ACCESS_KEY_ID: access.accessKeyId,
      AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    }),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (...command: readonly unknown[]): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    const line = await lines.next()
    if (line.done === true) throw new Error(`${name}: the process has ended`)
    const answer = JSON.parse(line.value) as { value?: unknown; error?: string }
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`)
    return answer.value
  }
  return {
    put: (file, objectKey) => ask('put', file, objectKey),
    get: (objectKey, file) => ask('get', objectKey, file),
    remove: (objectKey) => ask('remove', objectKey),
    list: async () => (await ask('list')) as string[],
    copy: (from, to) => ask('copy', from, to),
    move: (from, to) => ask('move', from, to),
    range: async (objectKey, first, last) => Buffer.from((await ask('range', objectKey, first, last)) as string, 'hex'),
    presign: async (objectKey) => (await ask('presign', objectKey)) as string,
    close: async () => {
      child.stdin.end()
      await ended
    },
  }
}
