import type { HopName } from './hop-names.js'
import type { Hop } from './hops.js'
import type { Options } from './options.js'
import type { Rivals } from './rivals/rivals.js'
import { type Nginx, startNginx } from './start-nginx.js'
import { type ProxyVariant, startProxy } from './start-proxy.js'
import type { RunningS3 } from './start-s3.js'
import type { Workshop } from './workshop.js'

/** What all sections have. */
export interface Bench {
  readonly options: Options
  readonly workshop: Workshop
  readonly nginx: Nginx
  readonly rivals: Rivals
  readonly s3: RunningS3
}

export const note = (line: string): void => void process.stderr.write(`${line}\n`)

export const directHop = ({ s3 }: Bench): Hop => ({ name: 'direct', port: s3.port, scheme: 'https', running: 'none' })

/** Starts one hop, in a process that has done nothing before. */
export async function startHop(name: HopName, bench: Bench, variant: ProxyVariant = {}): Promise<Hop> {
  const { nginx, rivals, options, workshop, s3 } = bench
  switch (name) {
    case 'direct':
      return directHop(bench)
    case 'nginx': {
      if (nginx.type === 'absent') throw new Error('there is no nginx')
      const running = await startNginx(nginx.command, workshop, s3.port)
      return { name, port: running.port, scheme: 'https', running }
    }
    case 'nginx + njs':
    case 'versitygw':
    case 'aws-sigv4-proxy':
    case 'aws-s3-reverse-proxy':
      return rivals.start(name)
    case 'http-proxy pass':
    case 'lean pass': {
      const running = await startProxy(options, workshop, s3.port, name, variant)
      return { name, port: running.port, scheme: 'https', running }
    }
  }
}

/** Starts hops, hands them over and stops them. */
export async function withHops<T>(
  names: readonly HopName[],
  bench: Bench,
  use: (hops: readonly Hop[]) => Promise<T>,
  variant: ProxyVariant = {},
): Promise<T> {
  const hops: Hop[] = []
  try {
    for (const name of names) hops.push(await startHop(name, bench, variant))
    return await use(hops)
  } finally {
    for (const { running } of hops) if (running !== 'none') await running.stop()
  }
}

/** nginx where it is there, and what goes in its place. */
export const nginxIfThere = ({ nginx }: Bench): readonly 'nginx'[] => (nginx.type === 'present' ? ['nginx'] : [])
