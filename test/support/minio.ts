import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { testCertificates } from './certificates.js'
import { freePorts } from './free-ports.js'
import { goProgram } from './go-program.js'
import { s3 } from './s3-client.js'
import type { Started } from './server.js'

const MODULE = 'github.com/minio/minio@latest'
const CREDENTIALS = { accessKeyId: 'minio-test-user', secretAccessKey: 'minio-test-secret-not-a-real-one' } as const
const DOMAIN = 's3.localhost'

/**
 * Starts MinIO on an empty folder. The binary is built from source by Go, once, and kept in the user's cache folder.
 * It ends with `stop`, or with this process. Rejects where it does not come up.
 */
export async function startMinio(): Promise<Started> {
  const binary = await goProgram(MODULE)
  if (binary.type === 'none') return { type: 'unavailable', reason: binary.reason }
  const folder = await mkdtemp(join(tmpdir(), 'minio-'))
  const { authority, leaf } = testCertificates()
  const certs = join(folder, 'certs')
  await mkdir(certs)
  await writeFile(join(certs, 'public.crt'), leaf.cert + authority.cert)
  await writeFile(join(certs, 'private.key'), leaf.key, { mode: 0o600 })
  const [port = 0] = await freePorts(1)
  // the shell ends when MinIO does, and ends MinIO when its own standard input ends: also when this process was killed
  const script = 'exec 3<&0; "$0" "$@" 3<&- & cat <&3 >/dev/null & wait -n; kill -KILL $(jobs -p)'
  const options = ['server', '--address', `127.0.0.1:${port}`, '--certs-dir', certs, join(folder, 'data')]
  const child = spawn('bash', ['-c', script, binary.path, ...options], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      MINIO_ROOT_USER: CREDENTIALS.accessKeyId,
      MINIO_ROOT_PASSWORD: CREDENTIALS.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_DOMAIN: DOMAIN,
    },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => output.push(data.toString()))
  }
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const limit = Date.now() + 30_000
  while (!(await isReady(port))) {
    if (child.exitCode !== null || Date.now() > limit) {
      await stop()
      throw new Error(`MinIO did not come up: ${output.join('').slice(-500)}`)
    }
    await delay(100)
  }
  return {
    type: 'running',
    stop,
    server: {
      name: 'minio',
      port,
      plainPort: 'none',
      endpoint: `https://127.0.0.1:${port}`,
      ca: authority.cert,
      region: 'us-east-1',
      credentials: CREDENTIALS,
      baseDomain: DOMAIN,
    },
  }
}

/** It takes connections before it can serve, and answers 503 (XMinioServerNotInitialized) until then. */
async function isReady(port: number): Promise<boolean> {
  try {
    return (await s3({ port, ...CREDENTIALS }, 'GET', '/')).status === 200
  } catch {
    return false
  }
}
