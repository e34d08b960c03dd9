import { StartError, faultOf } from './start-error.js'
import type { AddressInfo, Server } from 'node:net'

export type Place =
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | { readonly type: 'unix'; readonly path: string }

/**
 * Starts to listen. `name` begins the message of what went wrong: `listener https 0.0.0.0:8443`.
 *
 * @returns the address bound: `host:port` with the real port where 0 was asked for, or the path of the socket
 * @throws StartError
 */
export function listen(server: Server, place: Place, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => reject(new StartError(`${name}: ${hint(cause, place)}`, cause))
    server.once('error', failed)
    server.once('listening', () => {
      server.off('error', failed)
      resolve(addressOf(server))
    })
    server.listen(place.type === 'unix' ? { path: place.path } : { host: place.host, port: place.port })
  })
}

/** `host:port` as it stands in URLs: IPv6 in brackets. */
export const hostAndPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export function addressOf(server: Server): string {
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? address : hostAndPort(address.address, address.port)
}

function hint(cause: Error, place: Place): string {
  const denied = 'code' in cause && cause.code === 'EACCES'
  return denied && place.type === 'tcp' && place.port < 1024
    ? 'permission denied; ports below 1024 need CAP_NET_BIND_SERVICE, or configure a higher port'
    : faultOf(cause)
}
