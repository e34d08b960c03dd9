import { join } from 'node:path'
import { stringify } from 'yaml'
import { forEachBounded } from '../src/maintenance/bounded.js'
import { startOrigin } from '../src/origin/start-origin.js'
import { readFileSync } from 'node:fs'
import { keepAliveClient } from '../test/e2e/keep-alive-client.js'
import { outputOf } from './child.js'
import { KIB } from './content.js'
import { PROGRAM } from './start-proxy.js'
import type { Workshop } from './workshop.js'

/** One run of `encrypt` or `rekey` over a bucket. */
export interface RekeyRow {
  readonly name: string
  readonly objects: number
  /** to the upstream */
  readonly requestsPerObject: number
  /** wall-clock, with the copies that ran at a time */
  readonly msPerObject: number
}

const CREDENTIALS = { accessKeyId: 'BENCHORIGIN', secretAccessKey: 'bench-secret-of-nobody' }
const BUCKET = 'bench'

/** Encrypts a bucket of objects of 1 KiB, rotates and moves it, with the command line, against the embedded origin in this process. */
export async function measureRekey(node: string, workshop: Workshop, objects: number): Promise<readonly RekeyRow[]> {
  const [certificate, key] = [workshop.certFile, workshop.keyFile].map((file) => readFileSync(file, 'utf8'))
  const origin = await startOrigin({
    certificate: certificate ?? '',
    key: key ?? '',
    credentials: [CREDENTIALS],
    buckets: [BUCKET],
  })
  const client = keepAliveClient({ port: origin.port, ca: readFileSync(workshop.caFile, 'utf8'), ...CREDENTIALS })
  try {
    const names = Array.from({ length: objects }, (_, i) => `object ${i}`)
    await forEachBounded(names, 16, async (name) => {
      const { status } = await client.call('PUT', BUCKET, name, { body: Buffer.alloc(KIB, name) })
      if (status !== 200) throw new Error(`PUT ${name}: ${status}`)
    })
    const keyring = join(workshop.folder, 'rekey-keyring.json')
    const config = writeConfig(workshop, origin.port)
    const command = async (...args: readonly string[]): Promise<string> => {
      const said = await outputOf(node, [PROGRAM, ...args])
      if (said.type === 'failed') throw new Error(said.reason)
      return said.text
    }
    const row = async (name: string, verb: string): Promise<RekeyRow> => {
      const journal = join(workshop.folder, `${verb}.journal`)
      const told = await command(verb, `s3://${BUCKET}`, '--config', config, '--journal', journal, '--json')
      const { listed, requests, seconds } = JSON.parse(told) as Record<'listed' | 'requests' | 'seconds', number>
      return { name, objects: listed, requestsPerObject: requests / listed, msPerObject: (seconds * 1000) / listed }
    }
    await command('keys', 'generate', keyring, '--type', 'derived', '--name', 'main')
    const encrypted = await row('encrypt, 16 at a time', 'encrypt')
    await command('keys', 'rotate', keyring)
    const moved = await row('rekey, 16 at a time', 'rekey')
    return [encrypted, moved, await row('rekey again, nothing to do', 'rekey')]
  } finally {
    client.close()
    await origin.close()
  }
}

function writeConfig(workshop: Workshop, port: number): string {
  workshop.write('rekey-secret', CREDENTIALS.secretAccessKey)
  return workshop.write(
    'rekey.yaml',
    stringify({
      listeners: [{ https: { port: 0, cert: workshop.certFile, key: workshop.keyFile } }],
      upstream: {
        endpoint: `https://localhost:${port}`,
        region: 'us-east-1',
        ca: workshop.caFile,
        credentials: { accessKeyId: CREDENTIALS.accessKeyId, secretAccessKey: { file: 'rekey-secret' } },
      },
      identities: [
        {
          name: 'client',
          accessKeyId: 'BENCHCLIENT',
          secretAccessKey: { file: 'rekey-secret' },
          grants: [{ bucket: BUCKET, permissions: ['read'] }],
        },
      ],
      keyrings: [{ name: 'main', type: 'derived', file: 'rekey-keyring.json' }],
      rules: [{ bucket: BUCKET, keyring: 'main' }],
    }),
  )
}
