import { request } from 'node:http'
import type { RunningProxy } from '../support/running-proxy.js'

/** What Prometheus would get. */
export function metricsOf({ adminPort }: Pick<RunningProxy, 'adminPort'>): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: adminPort, path: '/metrics' }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    })
      .once('error', reject)
      .end()
  })
}
