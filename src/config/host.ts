import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** 127.0.0.0/8, ::1 and the name localhost: what no other machine can reach. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return loopback.check(host, 'ipv4')
  if (isIPv6(host)) return loopback.check(host, 'ipv6')
  return host.toLowerCase() === 'localhost'
}

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/**
 * A DNS name (RFC 1123), without a dot at its end. A number as the last label is refused: resolvers take `127.1` and
 * `0x7f000001` for addresses (RFC 1123 section 2.1, and the WHATWG's "ends in a number").
 */
export function isHostName(text: string): boolean {
  const labels = text.split('.')
  return (
    text.length <= 253 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1) ?? '')
  )
}

/** Why a listener cannot have this host, or `ok`. */
export function hostProblem(host: string): string {
  if (isIP(host) !== 0 || isHostName(host)) return 'ok'
  if (/^\[.*\]$/.test(host)) return 'an IPv6 address goes without brackets here'
  if (/:[0-9]+$/.test(host)) return 'must be a host alone; the port has a field of its own'
  return 'must be an IP address or a host name'
}
