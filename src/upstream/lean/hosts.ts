import type { Connection } from './connection.js'
import type { Taker } from './pool.js'

/** Connections to one name and port. */
export interface Host<K extends { readonly connection: Connection }> {
  readonly hostname: string
  readonly port: number
  readonly free: K[]
  /** Connections on loan. No collection of who has them: one that changes with each request would keep dead requests from being freed. */
  used: number
  readonly waiting: Set<Taker>
  /** Of the last handshake, to resume. */
  session: Buffer | undefined
}

/** Without a connection, each with a TLS session of some KiB. */
const MAX_IDLE = 100

/** The hosts that there are connections to, and some of those that there were, for their sessions. */
export class Hosts<K extends { readonly connection: Connection }> {
  readonly #all = new Map<string, Host<K>>()
  #last: Host<K> | undefined

  of(hostname: string, port: number): Host<K> {
    const last = this.#last
    if (last?.hostname === hostname && last.port === port) return last
    const name = nameOf(hostname, port)
    const known = this.#all.get(name)
    this.#last = known ?? { hostname, port, free: [], used: 0, waiting: new Set(), session: undefined }
    if (known === undefined) this.#all.set(name, this.#last)
    return this.#last
  }

  all(): Iterable<Host<K>> {
    return this.#all.values()
  }

  /**
   * A connection was closed. In virtual-hosted style each bucket is a host, and strangers may name any (CORS preflights): what has
   * no connection any more is forgotten where there are too many.
   */
  closed(host: Host<K>): void {
    if (host.used > 0 || host.free.length > 0 || host.waiting.size > 0 || this.#all.size <= MAX_IDLE) return
    const name = nameOf(host.hostname, host.port)
    // It may be another one by now: a connection that had grown old is closed after it was counted out.
    if (this.#all.get(name) === host) this.#all.delete(name)
    if (this.#last === host) this.#last = undefined
  }
}

const nameOf = (hostname: string, port: number): string => `${hostname} ${port}`
