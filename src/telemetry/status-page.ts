import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface StatusFile {
  readonly contentType: string
  readonly text: string
}

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' } as const

/** The files of the status page by their path on the admin listener: config/status of the package, beside src/ and dist/. */
export function statusPage(module: string = import.meta.url): ReadonlyMap<string, StatusFile> {
  const folder = ['../../config/status/', '../../../config/status/']
    .map((up) => fileURLToPath(new URL(up, module)))
    .find((place) => existsSync(place))
  if (folder === undefined) throw new Error('the package is incomplete: config/status is not there')
  return new Map(
    (['html', 'css', 'js'] as const).map((kind) => [
      kind === 'html' ? '/status' : `/status.${kind}`,
      { contentType: `${TYPES[kind]}; charset=utf-8`, text: readFileSync(`${folder}status.${kind}`, 'utf8') },
    ]),
  )
}

/** Nothing but what comes from this listener, and no place in anybody else's page. */
export const STATUS_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const
