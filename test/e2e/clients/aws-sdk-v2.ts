import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { pipeline } from 'node:stream/promises'
import AWS from 'aws-sdk'
import { encodeKey, endpointOf, type Access, type Client, type Session } from './client.js'
import { lookup } from './resolve-names.js'

const MiB = 1024 * 1024

/** The old AWS SDK for JavaScript, in this process. */
export function awsSdkV2(signature: 'v2' | 'v4'): Client {
  return {
    name: `aws-sdk v2 (${signature.toUpperCase()})`,
    version: async () => `aws-sdk ${(AWS as unknown as { VERSION: string }).VERSION}`,
    limits: { 'second sync': 'has no sync' },
    ...(signature === 'v2' ? { signatures: 'v2' } : {}),
    styles: ['path', 'virtual-hosted'],
    ...(signature === 'v2' ? { signatures: signature } : {}),
    open: async (access) => session(access, signature),
  }
}

function session(access: Access, signatureVersion: 'v2' | 'v4'): Session {
  const { bucket: Bucket, accessKeyId, secretAccessKey, region } = access
  const agent =
    access.scheme === 'https'
      ? new HttpsAgent({ lookup, ca: readFileSync(access.caFile) } as object)
      : new HttpAgent({ lookup } as object)
  const options: Readonly<AWS.S3.ClientConfiguration> = {
    endpoint: endpointOf(access),
    region,
    credentials: new AWS.Credentials(accessKeyId, secretAccessKey),
    s3ForcePathStyle: access.style === 'path',
    signatureVersion,
    httpOptions: { agent },
    maxRetries: 0,
  }
  const s3 = new AWS.S3(options)
  const copy = (from: string, Key: string): Promise<unknown> =>
    s3.copyObject({ Bucket, Key, CopySource: `${Bucket}/${encodeKey(from)}` }).promise()
  const remove = async (Key: string): Promise<void> => {
    const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key }] } }).promise()
    if (Errors.length > 0) throw new Error(JSON.stringify(Errors))
  }
  return {
    put: (file, Key) =>
      statSync(file).size > 8 * MiB
        ? s3.upload({ Bucket, Key, Body: createReadStream(file) }, { partSize: 8 * MiB }).promise()
        : s3.putObject({ Bucket, Key, Body: readFileSync(file) }).promise(),
    get: (Key, file) => pipeline(s3.getObject({ Bucket, Key }).createReadStream(), createWriteStream(file)),
    remove,
    list: async () => {
      const found: string[] = []
      for (let Marker = ''; ;) {
        const page = await s3.listObjects({ Bucket, MaxKeys: 7, ...(Marker === '' ? {} : { Marker }) }).promise()
        const objectKeys = (page.Contents ?? []).map(({ Key }) => Key ?? '')
        found.push(...objectKeys)
        if (page.IsTruncated !== true) return found
        Marker = page.NextMarker ?? objectKeys.at(-1) ?? ''
      }
    },
    copy,
    move: async (from, to) => {
      await copy(from, to)
      await remove(from)
    },
    range: async (Key, first, last) => {
      const { Body } = await s3.getObject({ Bucket, Key, Range: `bytes=${first}-${last}` }).promise()
      return Body as Buffer
    },
    presign: (Key) => s3.getSignedUrlPromise('getObject', { Bucket, Key, Expires: 600 }),
    close: async () => agent.destroy(),
  }
}
