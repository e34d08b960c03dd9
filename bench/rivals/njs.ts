import { existsSync } from 'node:fs'
import { outputOf } from '../child.js'
import type { Hop } from '../hops.js'
import { FIXED_KEY_HEADERS, REGION } from '../requests.js'
import { type Nginx, startNginx } from '../start-nginx.js'
import type { Workshop } from '../workshop.js'
import type { Found } from './rivals.js'

const MODULE = 'ngx_http_js_module.so'
const FOLDERS = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/etc/nginx/modules', '/usr/local/nginx/modules']

/** The njs module of nginx, where the distribution puts it. */
export async function njsModule(nginx: Nginx): Promise<Found> {
  if (nginx.type === 'absent') return { type: 'absent', reason: 'there is no nginx' }
  const path = FOLDERS.map((folder) => `${folder}/${MODULE}`).find(existsSync)
  if (path === undefined)
    return { type: 'absent', reason: `no ${MODULE} (Debian: apt-get install libnginx-mod-http-js)` }
  const package_ = await outputOf('dpkg-query', ['-W', '-f', '${Version}', 'libnginx-mod-http-js'])
  return { type: 'found', path, version: package_.type === 'said' ? `njs ${package_.text}` : path }
}

/**
 * nginx that also signs: the same configuration, and a script that makes a signature for each request. Every request runs
 * in a fresh copy of the script, which can keep no signing key from one to the next in this version of njs.
 */
export async function startNjs(nginx: Nginx, module: string, workshop: Workshop, s3Port: number): Promise<Hop> {
  if (nginx.type === 'absent') throw new Error('there is no nginx')
  const script = workshop.write('sign.js', signer(s3Port))
  const running = await startNginx(nginx.command, workshop, s3Port, {
    name: 'nginx + njs',
    main: `load_module ${module};`,
    http: `js_import sign from ${script}; js_set $amz_date sign.date; js_set $authorization sign.authorization;`,
    headers: {
      Host: `localhost:${s3Port}`,
      Authorization: '$authorization',
      'X-Amz-Date': '$amz_date',
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
    },
  })
  return { name: 'nginx + njs', port: running.port, scheme: 'https', running }
}

/** Signature version 4 over the headers that nginx sends: the host, the three of SSE-C, time and payload. */
function signer(s3Port: number): string {
  const fixed = { ...FIXED_KEY_HEADERS, host: `localhost:${s3Port}`, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  return `
import crypto from 'crypto';
const FIXED = ${JSON.stringify(fixed)};
const NAMES = Object.keys(FIXED).concat('x-amz-date').sort();
const SIGNED = NAMES.join(';');
const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

function date(r) {
  return new Date().toISOString().replace(/[:-]|\\.\\d{3}/g, '');
}

function query(r) {
  const args = r.variables.args;
  if (!args) return '';
  return args.split('&').map((one) => one.indexOf('=') < 0 ? one + '=' : one).sort().join('&');
}

function authorization(r) {
  const time = r.variables.amz_date;
  const day = time.slice(0, 8);
  let headers = '';
  for (let i = 0; i < NAMES.length; i++) {
    headers += NAMES[i] + ':' + (NAMES[i] === 'x-amz-date' ? time : FIXED[NAMES[i]]) + '\\n';
  }
  const path = r.variables.request_uri.split('?')[0];
  const canonical = r.method + '\\n' + path + '\\n' + query(r) + '\\n' + headers + '\\n' + SIGNED + '\\nUNSIGNED-PAYLOAD';
  const scope = day + '/${REGION}/s3/aws4_request';
  const text = 'AWS4-HMAC-SHA256\\n' + time + '\\n' + scope + '\\n' + crypto.createHash('sha256').update(canonical).digest('hex');
  const key = hmac(hmac(hmac(hmac('AWS4${UPSTREAM_SECRET}', day), '${REGION}'), 's3'), 'aws4_request');
  const signature = crypto.createHmac('sha256', key).update(text).digest('hex');
  return 'AWS4-HMAC-SHA256 Credential=${UPSTREAM_ACCESS_KEY}/' + scope + ', SignedHeaders=' + SIGNED + ', Signature=' + signature;
}

export default { date, authorization };
`
}

/** What it signs with; the stand-in of S3 does not look. */
export const UPSTREAM_ACCESS_KEY = 'BENCHUPSTREAM'
export const UPSTREAM_SECRET = 'nobody-looks-at-it'
