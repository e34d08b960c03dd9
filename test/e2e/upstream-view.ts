import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type _Object,
} from '@aws-sdk/client-s3'
import { registerSecret } from '../support/record.js'
import type { S3Server } from '../support/server.js'

/** The upstream as its owner sees it, past the proxy: what really lies there. */
export interface UpstreamView {
  makeBucket(bucket: string): Promise<void>
  /** Of each object its name, and what changes when it is written again. */
  list(bucket: string): Promise<readonly { objectKey: string; written: string }[]>
  /** Whether HEAD and GET without a key are refused; what they answer where they are not. */
  withoutKey(bucket: string, objectKey: string): Promise<'refused' | string>
  /** SHA-256 in hex of what SSE-C headers open; rejects where they do not. */
  withKey(bucket: string, objectKey: string, headers: Readonly<Record<string, string>>): Promise<string>
  close(): void
}

export function viewOf(upstream: S3Server): UpstreamView {
  const client = new S3Client({
    endpoint: upstream.endpoint,
    region: upstream.region,
    credentials: upstream.credentials,
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca: upstream.ca, keepAlive: true }) },
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const statusOf = async (asked: Promise<{ $metadata: { httpStatusCode?: number | undefined } }>): Promise<number> =>
    asked.then(
      ({ $metadata }) => $metadata.httpStatusCode ?? 0,
      (error: unknown) => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0,
    )
  return {
    makeBucket: async (Bucket) => {
      await client.send(new CreateBucketCommand({ Bucket }))
    },
    list: async (Bucket) => {
      const found: _Object[] = []
      for (let token: string | undefined; ;) {
        const ask = { Bucket, ...(token === undefined ? {} : { ContinuationToken: token }) }
        const page = await client.send(new ListObjectsV2Command(ask))
        found.push(...(page.Contents ?? []))
        if (page.IsTruncated !== true) break
        token = page.NextContinuationToken
      }
      return found.map(({ Key = '', ETag = '', LastModified }) => ({
        objectKey: Key,
        written: `${LastModified?.toISOString() ?? ''} ${ETag}`,
      }))
    },
    withoutKey: async (Bucket, Key) => {
      const head = await statusOf(client.send(new HeadObjectCommand({ Bucket, Key })))
      let size = -1
      const get = await statusOf(
        client.send(new GetObjectCommand({ Bucket, Key })).then(async (answer) => {
          size = (await answer.Body?.transformToByteArray())?.length ?? 0
          return answer
        }),
      )
      // MinIO gives the nothing that an empty object holds to everybody, and refuses HEAD all the same
      const nothing = upstream.name === 'minio' && get === 200 && size === 0
      return head === 400 && (get === 400 || nothing) ? 'refused' : `HEAD ${head}, GET ${get}`
    },
    withKey: async (Bucket, Key, headers) => {
      const answer = await client.send(
        new GetObjectCommand({
          Bucket,
          Key,
          SSECustomerAlgorithm: headers['x-amz-server-side-encryption-customer-algorithm'],
          SSECustomerKey: headers['x-amz-server-side-encryption-customer-key'],
          SSECustomerKeyMD5: headers['x-amz-server-side-encryption-customer-key-MD5'],
        }),
      )
      const hash = createHash('sha256')
      for await (const chunk of answer.Body as AsyncIterable<Buffer>) hash.update(chunk)
      return hash.digest('hex')
    },
    close: () => client.destroy(),
  }
}

/**
 * The headers of an object under each key version of a derived keyring, worked out from the file alone and without a line
 * of src, as docs/keys.md describes for the day when there is no proxy.
 */
export function recoveryHeaders(keyringFile: string, bucket: string, objectKey: string): Record<string, string>[] {
  return masterKeys(keyringFile).map(({ key }) => {
    const headers = derivedHeaders(key, bucket, objectKey)
    registerSecret('data key', Buffer.from(headers['x-amz-server-side-encryption-customer-key'] ?? '', 'base64'))
    return headers
  })
}

/** The key versions of a keyring file whose keys are in it. */
export function masterKeys(keyringFile: string): readonly { readonly id: string; readonly key: string }[] {
  const { versions } = JSON.parse(readFileSync(keyringFile, 'utf8')) as { versions: { id: string; key?: string }[] }
  return versions.flatMap(({ id, key }) => (key === undefined ? [] : [{ id, key }]))
}

/** The headers of one object under one master key, in base64. */
export function derivedHeaders(masterKey: string, bucket: string, objectKey: string): Record<string, string> {
  const prk = createHmac('sha256', Buffer.alloc(32)).update(Buffer.from(masterKey, 'base64')).digest()
  const info = Buffer.from(`ssec-proxy/v1\0${bucket}\0${objectKey}`)
  const dataKey = createHmac('sha256', prk).update(info).update(Buffer.of(1)).digest()
  return {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': dataKey.toString('base64'),
    'x-amz-server-side-encryption-customer-key-MD5': createHash('md5').update(dataKey).digest('base64'),
  }
}
