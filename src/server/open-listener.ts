import { type HttpsServer, httpsServer } from './https-server.js'
import type { ListenerInfo } from '../proxy/handler.js'
import type { ListenerConfig } from '../config/types.js'
import { claimUnixSocket, openToGroup, withoutOthers } from './unix-socket.js'
import { hostAndPort, listen } from './listen.js'
import { isLoopback, loopbackAddress } from './loopback.js'
import { type AddressInfo, type Server, createServer } from 'node:net'
import { SOCKET_OPTIONS } from './socket-options.js'
import type { StartOptions } from '../server.js'
import { StartError } from './start-error.js'

/** A server that listens, and its certificate's watch where it has one. */
export interface OpenListener {
  readonly info: ListenerInfo
  readonly server: Server
  readonly address: string
  readonly reload: () => void
  readonly unwatch: () => void
}

/** `equip` gives the server its events before the first connection can come. @throws StartError */
export async function openListener(
  config: ListenerConfig,
  options: StartOptions,
  equip: (server: Server, info: ListenerInfo) => void,
): Promise<OpenListener> {
  const info = infoOf(config)
  const { server, reload, unwatch } = serverOf(config, info, options)
  equip(server, info)
  try {
    const address = await bind(config, server, info.name)
    server.on('error', (err) => options.log.error({ listener: info.name, err }, 'listener'))
    return { info, server, address, reload, unwatch }
  } catch (cause) {
    unwatch()
    // It may listen by now.
    server.close(() => undefined)
    throw cause
  }
}

function infoOf(config: ListenerConfig): ListenerInfo {
  const { type } = config
  if (type === 'unix') return { name: `unix ${config.path}`, type, anonymous: config.anonymous }
  const name = `${type} ${hostAndPort(config.host, config.port)}`
  return { name, type, anonymous: type === 'http' ? config.anonymous : 'none' }
}

function serverOf(
  config: ListenerConfig,
  { name }: ListenerInfo,
  { timeouts, log, onCertificate, onCertificateReload, times }: StartOptions,
): HttpsServer | (Omit<HttpsServer, 'server'> & { readonly server: Server }) {
  if (config.type === 'https') {
    return httpsServer(config, timeouts.headersMs, { name, log, onCertificate, onCertificateReload, watch: times })
  }
  return { server: createServer(SOCKET_OPTIONS), reload: () => undefined, unwatch: () => undefined }
}

async function bind(config: ListenerConfig, server: Server, name: string): Promise<string> {
  switch (config.type) {
    case 'https':
      return listen(server, { type: 'tcp', host: config.host, port: config.port }, `listener ${name}`)
    case 'http': {
      const host = await loopbackAddress(config.host, name)
      const address = await listen(server, { type: 'tcp', host, port: config.port }, `listener ${name}`)
      if (isLoopback((server.address() as AddressInfo).address)) return address
      throw new StartError(`listener ${name}: bound ${address}, which is not loopback`)
    }
    case 'unix': {
      await claimUnixSocket(config.path, name)
      const address = await withoutOthers(() => listen(server, { type: 'unix', path: config.path }, `listener ${name}`))
      openToGroup(config.path)
      return address
    }
  }
}
