import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Installation } from '../support/running-proxy.js'

export interface Access {
  readonly port: number
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly maxAttempts: number
}

export function clientOf(installation: Pick<Installation, 'caFile'>, access: Access): S3Client {
  const { port, accessKeyId, secretAccessKey, maxAttempts } = access
  return new S3Client({
    endpoint: `https://localhost:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca: readFileSync(installation.caFile), keepAlive: true }) },
    maxAttempts,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
}

export interface Load {
  /** Requests that were answered so far. */
  readonly done: () => number
  readonly failures: readonly string[]
  /** Ends it when what runs is over. */
  readonly stop: () => Promise<void>
}

/** Clients that write and read objects, one request after the other, and look whether they get what they wrote. */
export function startLoad(clients: readonly S3Client[], Bucket: string): Load {
  const failures: string[] = []
  let done = 0
  let going = true
  const work = async (client: S3Client, name: number) => {
    for (let i = 0; going; i++) {
      const Key = `load/${name}/${i % 20}`
      const written = randomBytes(1_000 + ((i * 7919) % 100_000))
      try {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: written }))
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        const read = Buffer.from((await Body?.transformToByteArray()) ?? [])
        if (!written.equals(read)) failures.push(`${Key}: other bytes than were written`)
        done += 2
      } catch (error) {
        failures.push(`${Key}: ${String(error)}`)
      }
    }
  }
  const all = Promise.all(clients.map(work))
  return {
    done: () => done,
    failures,
    stop: async () => {
      going = false
      await all
      for (const client of clients) client.destroy()
    },
  }
}

/** What a URL of the admin listener says. */
export async function ask(url: string): Promise<string> {
  return (await fetch(url)).text()
}

/** One value of the metrics; 0 where there is none. */
export async function metric(adminPort: number, sample: string): Promise<number> {
  const text = await ask(`http://127.0.0.1:${adminPort}/metrics`)
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
  return Number(line?.slice(sample.length + 1) ?? 0)
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  for (const end = Date.now() + withinMs; !(await isSo());) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
