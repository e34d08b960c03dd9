import { isIP, isIPv6 } from 'node:net'
import { isHostName } from './host.js'

export type EndpointResult =
  | { readonly type: 'endpoint'; readonly hostname: string; readonly port: number }
  | { readonly type: 'problem'; readonly message: string }

const problem = (message: string): EndpointResult => ({ type: 'problem', message })

/**
 * The upstream's host and port from `https://HOST[:PORT]`. Taken apart by hand: a URL parser would quietly repair what
 * should be refused, and does not know `{region}`. An IPv6 address loses its brackets. No message repeats the text,
 * because it may hold a password.
 */
export function parseEndpoint(text: string): EndpointResult {
  if (!text.startsWith('https://')) return problem('must start with https://; plain http never carries keys')
  const rest = text.slice('https://'.length)
  if (rest.includes('@')) return problem('must not hold a user name or a password: `credentials` does')
  if (/[?#]/.test(rest)) return problem('must not have a query or a fragment')
  const authority = rest.replace(/\/$/, '')
  if (authority.includes('/')) return problem('must not have a path: a store under a path prefix is not supported')
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(authority) ?? []
  const host = bracketed ?? plain
  if (host === undefined || host === '')
    return problem('must name a host, as in https://s3.example.com or https://[::1]:9000')
  const port = digits === undefined ? 443 : Number(digits)
  if (digits === '' || port < 1 || port > 65535) return problem('must have a port from 1 to 65535, or none for 443')
  if (bracketed !== undefined) {
    return isIPv6(bracketed) ? { type: 'endpoint', hostname: bracketed, port } : problem('has an invalid IPv6 address')
  }
  return hostAndPort(host, port)
}

function hostAndPort(host: string, port: number): EndpointResult {
  if (host.split('{region}').length > 2) return problem('can have {region} once')
  // Whatever the region, it is made of letters, digits and `-`: one such text stands for all of them.
  const sample = host.replace('{region}', 'region')
  if (/[{}]/.test(sample)) return problem('can have {region} in the host, and no other braces')
  if (isIP(sample) === 0 && !isHostName(sample)) return problem('has an invalid host name')
  return { type: 'endpoint', hostname: host.toLowerCase(), port }
}
