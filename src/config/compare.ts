import { createHash } from 'node:crypto'
import { SecretAccessKey } from '../sigv4/types.js'
import type { Config } from './types.js'

/** What requests that come from now on can go by; everything else is made once, when the program starts. */
const RELOADABLE: readonly (keyof Config)[] = ['baseDomains', 'clientRegions', 'identities', 'keyrings', 'rules', 'log']
/** Of the upstream: only what requests are signed with. A preflight is for the start alone. */
const RELOADABLE_UPSTREAM: readonly (keyof Config['upstream'])[] = ['credentials', 'preflight']

/** Whether two parts of configurations mean the same; secrets are compared, and kept to themselves. */
export const sameValue = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** Paths of what differs and cannot change without a restart. */
export function needRestart(before: Config, after: Config): readonly string[] {
  return [
    ...differing(before, after, ['upstream', ...RELOADABLE]),
    ...differing(before.upstream, after.upstream, RELOADABLE_UPSTREAM).map((name) => `upstream.${name}`),
  ]
}

function differing<T extends object>(before: T, after: T, except: readonly (keyof T)[]): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof T & string>
  return [...names].filter((name) => !except.includes(name) && !sameValue(before[name], after[name]))
}

function canonical(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, name, shown: unknown) {
    // A secret has made itself `[secret]` by now.
    const raw = this[name]
    return raw instanceof SecretAccessKey ? createHash('sha256').update(raw.reveal()).digest('hex') : shown
  })
}
