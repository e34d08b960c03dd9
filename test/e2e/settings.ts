import { BASE_DOMAINS, type Installation, type RunningProxy } from '../support/running-proxy.js'
import type { Access, Client } from './clients/client.js'

/** A way to the proxy, by the name that the table has. */
export const SETTINGS = ['https, path', 'https, virtual-hosted', 'http on loopback, path'] as const
export type Setting = (typeof SETTINGS)[number]

/** Path style, of those that can. */
export const usualSetting = ({ styles }: Client): Setting =>
  styles.includes('path') ? 'https, path' : 'https, virtual-hosted'

export interface Way {
  readonly setting: Setting
  readonly bucket: string
  readonly installation: Installation
  readonly proxy: RunningProxy
  readonly signatures: 'v4' | 'v2'
}

/** The second base domain, which no resolver knows, where the client's names are resolved for it. */
export function accessFor({ setting, bucket, installation, proxy, signatures }: Way): Access {
  const { caFile } = installation
  const { accessKeyId, secretAccessKey } = signatures === 'v2' ? installation.legacy : installation
  const common = { caFile, accessKeyId, secretAccessKey, bucket, region: 'us-east-1' }
  switch (setting) {
    case 'https, path':
      return { ...common, scheme: 'https', hostname: 'localhost', port: proxy.httpsPort, style: 'path' }
    case 'https, virtual-hosted':
      return {
        ...common,
        scheme: 'https',
        hostname: BASE_DOMAINS[1],
        port: proxy.httpsPort,
        style: 'virtual-hosted',
      }
    case 'http on loopback, path':
      return { ...common, scheme: 'http', hostname: 'localhost', port: proxy.httpPort, style: 'path' }
  }
}
