import { hostProblem, isLoopback } from './host.js'
import { formatPath, repeated, type Finding, type Path } from './problem.js'
import type { Found, View } from './view.js'

interface Address {
  readonly at: Path
  readonly host: string
  readonly port: number
}

/** Hosts that can be listened on, plain http on loopback only, no address twice, anonymous identities that exist. */
export function checkListeners(view: View): readonly Finding[] {
  return [...checkHosts(view), ...checkPlainHttp(view), ...checkAddresses(view), ...checkAnonymous(view)]
}

const HOSTS = [
  ['listeners', '*', 'https', 'host'],
  ['listeners', '*', 'http', 'host'],
  ['admin', 'host'],
]

function checkHosts(view: View): readonly Finding[] {
  return HOSTS.flatMap((pattern) => view.texts(pattern))
    .map(({ at, value }) => ({ at, message: hostProblem(value) }))
    .filter(({ message }) => message !== 'ok')
}

function checkPlainHttp(view: View): readonly Finding[] {
  return view
    .texts(['listeners', '*', 'http', 'host'])
    .filter(({ value }) => hostProblem(value) === 'ok' && !isLoopback(value))
    .map(({ at }) => ({
      at,
      message:
        'must be a loopback address (127.0.0.0/8, ::1) or localhost; for any other address use an https listener',
    }))
}

/** One port cannot be listened on twice, and an address for all interfaces takes it on every other. */
function checkAddresses(view: View): readonly Finding[] {
  const addresses = HOSTS.flatMap((pattern) => view.texts(pattern)).flatMap(({ at, value }): Address[] => {
    const portAt = [...at.slice(0, -1), 'port']
    const port = view.get(portAt)
    return typeof port === 'number' && port !== 0 ? [{ at: portAt, host: value.toLowerCase(), port }] : []
  })
  const everywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'
  const clash = (a: Address, b: Address): boolean =>
    a.port === b.port && (a.host === b.host || everywhere(a.host) || everywhere(b.host))
  const ports = addresses.flatMap((address, i): Finding[] => {
    const first = addresses.slice(0, i).find((other) => clash(address, other))
    return first === undefined ? [] : [{ at: address.at, message: `is taken by ${formatPath(first.at.slice(0, -1))}` }]
  })
  const sockets = view.texts(['listeners', '*', 'unix', 'path'])
  return [...ports, ...repeated(sockets, (first) => `is the socket of ${first} already`)]
}

function checkAnonymous(view: View): readonly Finding[] {
  const names = view.texts(['identities', '*', 'name'])
  return ['http', 'unix']
    .flatMap((type) => view.texts(['listeners', '*', type, 'anonymous']))
    .flatMap(({ at, value }): Finding[] => {
      const identity = names.find((name) => name.value === value)
      if (identity === undefined) return [{ at, message: 'names no identity' }]
      return isAnonymous(view, identity)
        ? []
        : [{ at, message: 'names an identity with an access key, not one with `anonymous: true`' }]
    })
}

const isAnonymous = (view: View, name: Found<string>): boolean => view.given([...name.at.slice(0, -1), 'anonymous'])
