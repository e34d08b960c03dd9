import { testCertificates } from './certificates.js'
import { CLIENT, type TestProxy } from './proxy-in-process.js'
import type { S3Server } from './server.js'

/** A proxy in this process as tests know any server, with its client's credentials. */
export function proxyServer({ port, plainPort }: Pick<TestProxy, 'port' | 'plainPort'>): S3Server {
  return {
    name: 'origin',
    port,
    plainPort,
    endpoint: `https://127.0.0.1:${port}`,
    ca: testCertificates().authority.cert,
    region: 'us-east-1',
    credentials: CLIENT,
    baseDomain: 's3.localhost',
  }
}
