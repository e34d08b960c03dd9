import { BlockList, isIP } from 'node:net'
import { StartError } from './start-error.js'
import { lookup } from 'node:dns/promises'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

export const isLoopback = (address: string): boolean =>
  isIP(address) !== 0 && LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/**
 * The address that a plain http listener binds. Configuration has refused other hosts already; this is the code that
 * would open the port, and it does not take its word for it. Of names only `localhost` is taken, and what it resolves to
 * is what is bound.
 *
 * @throws StartError
 */
export async function loopbackAddress(host: string, name: string): Promise<string> {
  const address = host === 'localhost' ? (await lookup(host)).address : host
  if (isLoopback(address)) return address
  throw new StartError(`listener ${name}: plain http is for loopback addresses only; use https`)
}
