import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCertificates } from './certificates.js'
import { freePorts, freeRange } from './free-ports.js'
import type { Started } from './server.js'

const CREDENTIALS = { accessKeyId: 'RGWTEST0000000000000', secretAccessKey: 'rgw-test-secret-not-a-real-one' } as const
const DOMAIN = 's3.localhost'

/**
 * Starts Ceph's S3 gateway with an empty cluster in memory, in about ten seconds; installs Debian's packages first
 * where it must. It ends with `stop`, or with this process. Rejects where it does not come up.
 */
export async function startRgw(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'rgw-'))
  const { authority, leaf } = testCertificates()
  const cert = join(folder, 'chain.pem')
  const key = join(folder, 'key.pem')
  await writeFile(cert, leaf.cert + authority.cert)
  await writeFile(key, leaf.key, { mode: 0o600 })
  const [port = 0, plainPort = 0] = await freePorts(2)
  const child = spawn(join(import.meta.dirname, 'rgw-up'), [join(folder, 'ceph')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      RGW_TLS_PORT: String(port),
      RGW_HTTP_PORT: String(plainPort),
      RGW_MON_PORT: String(await freeRange(120)),
      RGW_CERT: cert,
      RGW_KEY: key,
      RGW_DOMAIN: DOMAIN,
      RGW_ACCESS_KEY: CREDENTIALS.accessKeyId,
      RGW_SECRET_KEY: CREDENTIALS.secretAccessKey,
    },
  })
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  const errors: string[] = []
  child.stderr.on('data', (data: Buffer) => errors.push(data.toString()))
  const ready = new Promise<'ready'>((resolve) => child.stdout.once('data', () => resolve('ready')))
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const outcome = await Promise.race([ready, ended])
  if (outcome !== 'ready') {
    await stop()
    const reason = errors.join('').trim()
    if (outcome === 3) return { type: 'unavailable', reason }
    throw new Error(reason)
  }
  return {
    type: 'running',
    stop,
    server: {
      name: 'rgw',
      port,
      plainPort,
      endpoint: `https://127.0.0.1:${port}`,
      ca: authority.cert,
      region: 'us-east-1',
      credentials: CREDENTIALS,
      baseDomain: DOMAIN,
    },
  }
}
