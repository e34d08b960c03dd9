import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { encodeKey, endpointOf, type Access, type Client, type Session } from './client.js'
import { lookup } from './resolve-names.js'

const MiB = 1024 * 1024

/** The AWS SDK for JavaScript, in this process. */
export const awsSdk: Client = {
  name: '@aws-sdk/client-s3',
  version: async () => {
    const file = new URL('../../../node_modules/@aws-sdk/client-s3/package.json', import.meta.url)
    return `client-s3 ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`
  },
  limits: {
    'second sync': 'has no sync',
    rename: 'is a copy and a delete',
  },
  styles: ['path', 'virtual-hosted'],
  open: async (access) => session(access),
}

function session(access: Access): Session {
  const { bucket: Bucket, accessKeyId, secretAccessKey, region } = access
  const agents = {
    httpAgent: new HttpAgent({ lookup } as object),
    httpsAgent: new HttpsAgent({ lookup, ca: readFileSync(access.caFile) } as object),
  }
  const client = new S3Client({
    endpoint: endpointOf(access),
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: access.style === 'path',
    requestHandler: agents,
    maxAttempts: 1,
  })
  const source = (objectKey: string): string => `${Bucket}/${encodeKey(objectKey)}`
  const bodyOf = async (Key: string, Range?: string): Promise<Readable> => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }))
    return answer.Body as Readable
  }
  return {
    put: (file, Key) =>
      statSync(file).size > 8 * MiB
        ? new Upload({ client, params: { Bucket, Key, Body: createReadStream(file) }, partSize: 8 * MiB }).done()
        : client.send(new PutObjectCommand({ Bucket, Key, Body: readFileSync(file) })),
    get: async (Key, file) => pipeline(await bodyOf(Key), createWriteStream(file)),
    remove: (Key) => client.send(new DeleteObjectCommand({ Bucket, Key })),
    list: async () => {
      const answer = await client.send(new ListObjectsV2Command({ Bucket }))
      return (answer.Contents ?? []).map(({ Key }) => Key ?? '')
    },
    copy: (from, Key) => client.send(new CopyObjectCommand({ Bucket, Key, CopySource: source(from) })),
    range: async (Key, first, last) => {
      const chunks: Buffer[] = []
      for await (const chunk of await bodyOf(Key, `bytes=${first}-${last}`)) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    },
    presign: (Key) => getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: 600 }),
    close: async () => client.destroy(),
  }
}
