import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { rawClient } from '../support/raw-client.js'
import { sdkClient } from '../support/sdk-client.js'
import type { S3Server } from '../support/server.js'
import { CASES } from './cases.js'

/** Asks a server everything: the outcome of each case, in a line, by its name. */
export async function measure(server: S3Server): Promise<ReadonlyMap<string, string>> {
  const raw = rawClient(server)
  const sdk = sdkClient(server)
  const run = Date.now().toString(36)
  const bucket = `contract-${run}`
  const versioned = `contract-${run}-versions`
  const outcomes = new Map<string, string>()
  try {
    for (const name of [bucket, versioned]) await sdk.send(new CreateBucketCommand({ Bucket: name }))
    const VersioningConfiguration = { Status: 'Enabled' as const }
    await sdk.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }))
    for (const [index, { name, run: ask }] of CASES.entries()) {
      const context = { server, raw, sdk, bucket, versioned, objectKey: `Case-${run}-${index}` }
      const outcome = await ask(context).catch((error: unknown) => `failed: ${String(error)}`)
      outcomes.set(name, outcome.replaceAll(`${bucket}/${context.objectKey}`, '(object)'))
    }
    return outcomes
  } finally {
    raw.close()
    sdk.destroy()
  }
}
