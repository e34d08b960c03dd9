import { isIP } from 'node:net'
import { parseEndpoint } from './endpoint.js'
import { isHostName } from './host.js'
import { repeated, type Finding, type Path } from './problem.js'
import type { View } from './view.js'

/** Endpoint, region and addressing fit together; credentials are of one kind; base domains are domains. */
export function checkUpstream(view: View): readonly Finding[] {
  const indices = (name: string): readonly number[] => {
    const list = view.get([name])
    return Array.isArray(list) ? [...list.keys()] : []
  }
  const places: readonly Path[] = [
    ['upstream', 'credentials'],
    ...indices('identities').map((i) => ['identities', i, 'upstreamCredentials']),
    ...indices('keyrings').map((i) => ['keyrings', i, 'kms', 'credentials']),
  ]
  return [...checkEndpoint(view), ...places.flatMap((at) => checkCredentials(view, at)), ...checkBaseDomains(view)]
}

function checkEndpoint(view: View): readonly Finding[] {
  const [endpoint] = view.texts(['upstream', 'endpoint'])
  const region = view.get(['upstream', 'region'])
  const early: Finding[] =
    region !== 'learned' && view.given(['upstream', 'firstRegion'])
      ? [{ at: ['upstream', 'firstRegion'], message: 'has a meaning only with `region: learned`' }]
      : []
  if (endpoint === undefined) return early
  const parsed = parseEndpoint(endpoint.value)
  if (parsed.type === 'problem') return [...early, { at: endpoint.at, message: parsed.message }]
  const { hostname } = parsed
  const ofAws = /\.amazonaws\.com(?:\.cn)?$/.test(hostname)
  if (region === 'learned' && ofAws && !hostname.includes('{region}')) {
    const message = 'must have {region} in its host where the region is learned: https://s3.{region}.amazonaws.com'
    early.push({ at: endpoint.at, message })
  }
  if (view.get(['upstream', 'addressing']) === 'virtual-hosted' && isIP(hostname) !== 0) {
    const message = 'must be `path` where the endpoint is an IP address: no bucket can be put before it'
    early.push({ at: ['upstream', 'addressing'], message })
  }
  return early
}

const CREDENTIAL_FIELDS = ['profile', 'accessKeyId', 'secretAccessKey', 'sessionToken']

function checkCredentials(view: View, at: Path): readonly Finding[] {
  const value = view.get(at)
  if (typeof value !== 'object' || value === null) return []
  const names = Object.keys(value)
  // An unknown or a missing field is told by the schema, with all that is possible here.
  if (names.length === 0 || !names.every((name) => CREDENTIAL_FIELDS.includes(name))) return []
  const of = (name: string, message: string): Finding => ({ at: [...at, name], message })
  if (names.includes('profile')) {
    return names
      .filter((name) => name !== 'profile')
      .map((name) => of(name, 'cannot be beside `profile`: the profile has credentials of its own'))
  }
  return ['accessKeyId', 'secretAccessKey']
    .filter((name) => !names.includes(name))
    .map((name) => of(name, 'is missing; accessKeyId and secretAccessKey go together'))
}

function checkBaseDomains(view: View): readonly Finding[] {
  const domains = view.texts(['baseDomains', '*']).map(({ at, value }) => ({ at, value: value.toLowerCase() }))
  return [
    ...domains.flatMap(({ at, value }) => (isHostName(value) ? [] : [{ at, message: domainProblem(value) }])),
    ...repeated(domains, (first) => `is ${first} already`),
  ]
}

function domainProblem(value: string): string {
  if (isIP(value) !== 0) return 'must be a domain name; on an IP address only path style works, and needs no entry here'
  if (/^[a-z]+:\/\//.test(value)) return 'must be a domain name alone, without a scheme'
  if (value.startsWith('*.') || value.startsWith('.'))
    return 'must be the domain that buckets stand before, without `*.`'
  return 'must be a domain name, without a port or a path'
}
