import { Agent } from 'node:https'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Server } from './server.js'

/** AWS's SDK for a real server; one attempt, path style. Destroy it when done. */
export function sdkClient(server: S3Server, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    // Ceph 16 knows no trailing checksums, which the SDK sends by itself
    ...(server.name === 'rgw'
      ? { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }
      : {}),
    requestHandler: { httpsAgent: new Agent({ ca: server.ca, keepAlive: true }) },
    ...config,
  })
}
