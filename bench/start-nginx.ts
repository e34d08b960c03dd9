import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { freePorts } from '../test/support/free-ports.js'
import { type Running, outputOf, startProgram } from './child.js'
import { FIXED_KEY_HEADERS } from './requests.js'
import type { Workshop } from './workshop.js'

export type Nginx =
  { readonly type: 'absent' } | { readonly type: 'present'; readonly command: string; readonly version: string }

/** Looks for nginx in PATH, and where Debian has it. */
export async function findNginx(): Promise<Nginx> {
  for (const command of ['nginx', '/usr/sbin/nginx']) {
    const found = await outputOf(command, ['-v'])
    if (found.type === 'said') {
      return { type: 'present', command, version: found.text.replace(/^nginx version: /, '') }
    }
  }
  return { type: 'absent' }
}

/** nginx as the least that could stand in the proxy's place: TLS on both sides and three headers that never change. */
export async function startNginx(
  command: string,
  workshop: Workshop,
  s3Port: number,
  additions: Additions = NO_ADDITIONS,
): Promise<Running> {
  const [port = 0] = await freePorts(1)
  const { name } = additions
  const prefix = join(workshop.folder, name.replace(/[^a-z]+/g, '-'))
  mkdirSync(prefix, { recursive: true })
  const configFile = workshop.write(
    `${basename(prefix)}.conf`,
    configuration(workshop, prefix, port, s3Port, additions),
  )
  return startProgram({
    name,
    command,
    args: ['-p', prefix, '-c', configFile, '-e', join(prefix, 'error.log')],
    logFile: join(prefix, 'output.log'),
    port,
  })
}

/** What a configuration has beyond the bare hop's. */
export interface Additions {
  readonly name: string
  /** Directives. */
  readonly main: string
  readonly http: string
  /** To the upstream. */
  readonly headers: Readonly<Record<string, string>>
}

const NO_ADDITIONS: Additions = { name: 'nginx', main: '', http: '', headers: { Host: '$http_host' } }

/** One process, as the proxy is one; nothing is buffered to a file, connections and TLS sessions are kept on both sides. */
function configuration(
  { caFile, certFile, keyFile }: Workshop,
  prefix: string,
  port: number,
  s3Port: number,
  { main, http, headers }: Additions,
): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
${main}
daemon off;
master_process off;
pid ${prefix}/nginx.pid;
error_log ${prefix}/error.log warn;
events { worker_connections 30000; }
http {
  ${http}
  ${temp.map((name) => `${name}_temp_path ${prefix}/${name};`).join(' ')}
  access_log ${prefix}/access.log combined;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  upstream s3 {
    server 127.0.0.1:${s3Port};
    keepalive 128;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} ssl;
    server_name localhost;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_buffer_size 16k;
    client_max_body_size 0;
    location / {
      proxy_pass https://s3;
      proxy_http_version 1.1;
      proxy_headers_hash_bucket_size 128;
      proxy_set_header Connection "";
${Object.entries({ ...headers, ...FIXED_KEY_HEADERS })
  .map(([name, value]) => `      proxy_set_header ${name} "${value}";`)
  .join('\n')}
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${caFile};
      proxy_ssl_name localhost;
      proxy_ssl_server_name on;
      proxy_ssl_session_reuse on;
      proxy_request_buffering off;
      proxy_buffers 16 64k;
      proxy_buffer_size 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
    }
  }
}
`
}
