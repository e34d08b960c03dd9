/** A real S3 server that tests talk to directly, whatever it is. */
export interface S3Server {
  readonly name: 'origin' | 'rgw' | 'minio'
  /** TLS, on 127.0.0.1. */
  readonly port: number
  /** The same server without TLS, `none` where it has no such port. */
  readonly plainPort: number | 'none'
  /** `https://127.0.0.1:port` */
  readonly endpoint: string
  /** PEM of the CA that its certificate is from. */
  readonly ca: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Buckets are subdomains of it in virtual-hosted style. */
  readonly baseDomain: string
}

/** What became of starting one. A reason is printed where the machine has not what it takes. */
export type Started =
  | { readonly type: 'running'; readonly server: S3Server; readonly stop: () => Promise<void> }
  | { readonly type: 'unavailable'; readonly reason: string }
