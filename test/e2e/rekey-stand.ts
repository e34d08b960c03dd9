import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import {
  makeInstallation,
  removeInstallation,
  startProxy,
  type Installation,
  type RunningProxy,
} from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { keepAliveClient, type KeepAliveClient } from './keep-alive-client.js'

export interface RekeyStand {
  readonly installation: Installation
  readonly proxy: RunningProxy
  /** A client of the proxy. */
  readonly client: KeepAliveClient
  /** Past the proxy. */
  readonly direct: KeepAliveClient
}

/** A proxy of its own in front of an upstream, with an empty bucket. */
export async function openStand(t: Test, upstream: S3Server, bucket: string): Promise<RekeyStand> {
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const direct = keepAliveClient({ ...upstream, ...upstream.credentials, host: '127.0.0.1' })
  t.teardown(() => direct.close())
  t.equal((await direct.call('PUT', bucket, '')).status, 200)
  const proxy = await startProxy(installation, { upstream, logLevel: 'warn' })
  const client = keepAliveClient({
    port: proxy.httpsPort,
    ca: readFileSync(installation.caFile, 'utf8'),
    accessKeyId: installation.accessKeyId,
    secretAccessKey: installation.secretAccessKey,
  })
  t.teardown(() => client.close())
  return { installation, proxy, client, direct }
}
