/** What a request goes through on its way to S3. */
export type HopName = 'direct' | 'nginx' | RivalName | ProxyName

/** The proxy as it is, with its lean pass, and with http-proxy's own. */
export type ProxyName = 'http-proxy pass' | 'lean pass'

/** What somebody might take instead, for signing. */
export type RivalName = 'nginx + njs' | 'versitygw' | 'aws-sigv4-proxy' | 'aws-s3-reverse-proxy'

export const PROXIES = ['http-proxy pass', 'lean pass'] as const satisfies readonly ProxyName[]
export const RIVALS = [
  'nginx + njs',
  'versitygw',
  'aws-sigv4-proxy',
  'aws-s3-reverse-proxy',
] as const satisfies readonly RivalName[]

/** In the order of the tables' columns. */
export const HOPS = ['direct', 'nginx', ...RIVALS, ...PROXIES] as const satisfies readonly HopName[]

/** Hops that add the customer key; with the others the client does (and versitygw drops it: its objects are plain). */
export const addsKey = (name: HopName): boolean => ['nginx', 'nginx + njs', ...PROXIES].includes(name)
