import { Agent } from 'node:https'
import type { Socket } from 'node:net'
import type { UpstreamConfig } from '../config/types.js'

/** Times in milliseconds; `ca` is PEM text to trust instead of the system's authorities. */
export type ConnectionOptions = Pick<
  UpstreamConfig,
  'connectTimeoutMs' | 'idleTimeoutMs' | 'maxSockets' | 'keepAliveMs'
> & { readonly ca: string | 'system' }

/** Where connections to the upstream come from. */
export interface Agents {
  /** Keeps connections and resumes TLS sessions. */
  readonly pooled: Agent
  /** A new connection for each request: where a kept one turned out to be dead. */
  readonly fresh: Agent
}

export interface SocketCounts {
  readonly inUse: number
  readonly free: number
  /** requests that wait for a connection because `maxSockets` are in use */
  readonly pending: number
}

/**
 * Agents that verify, whatever else is set: an agent's options win over those of a request and over node's flags.
 * `maxSockets` is per host. A kept connection is closed after `keepAliveMs`, or earlier where the upstream's
 * `Keep-Alive: timeout` says so.
 */
export function createAgents(options: ConnectionOptions): Agents {
  const common = {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    noDelay: true,
    maxSockets: options.maxSockets,
    maxFreeSockets: options.maxSockets,
    ...(options.ca === 'system' ? {} : { ca: options.ca }),
  } as const
  return {
    pooled: new Agent({ ...common, keepAlive: true, timeout: options.keepAliveMs }),
    fresh: new Agent({ ...common, keepAlive: false }),
  }
}

export function countSockets(agents: Agents): SocketCounts {
  const both = [agents.pooled, agents.fresh]
  return {
    inUse: both.flatMap((agent) => entries(agent.sockets)).length,
    free: both.flatMap((agent) => entries(agent.freeSockets)).length,
    pending: both.flatMap((agent) => entries(agent.requests)).filter((request) => !request.destroyed).length,
  }
}

/** Destroys every connection, used or not, and resolves when all are closed. Requests that wait must have failed. */
export async function closeAgents(agents: Agents): Promise<void> {
  const open = (): Socket[] =>
    [agents.pooled, agents.fresh].flatMap((agent) => [...entries(agent.sockets), ...entries(agent.freeSockets)])
  // node gives every request that waits a connection, failed ones too, so one round may not be enough.
  for (let sockets = open(); sockets.length > 0; sockets = open()) {
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
    agents.pooled.destroy()
    agents.fresh.destroy()
    await Promise.all(closed)
  }
}

const entries = <T>(lists: Readonly<Record<string, T[] | undefined>>): T[] =>
  Object.values(lists).flatMap((list) => list ?? [])

/**
 * Refuses settings of the process under which keys could leave unprotected or be printed.
 *
 * @throws Error that says which variable to remove
 */
export function refuseUnsafeEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  const reasons: Readonly<Record<string, string>> = {
    ...(environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' && {
      NODE_TLS_REJECT_UNAUTHORIZED: "turns off the verification of the upstream's certificate",
    }),
    // node prints the options of each connection, the headers of the request with its customer key among them.
    ...((environment['NODE_DEBUG'] ?? '') !== '' && { NODE_DEBUG: 'makes node print customer keys' }),
    ...(/--(?:insecure-http-parser|tls-keylog)/.test(environment['NODE_OPTIONS'] ?? '') && {
      NODE_OPTIONS: 'makes node take malformed answers, or write down the keys of its TLS sessions',
    }),
    ...(environment['FORCE_FETCH_PATH'] === 'true' && {
      FORCE_FETCH_PATH: 'makes http-proxy send requests with fetch, past the verified connections',
    }),
  }
  for (const [name, reason] of Object.entries(reasons)) {
    throw new Error(`the environment variable ${name} ${reason}: start again without it`)
  }
}
