import { KIB, MIB } from './content.js'

/** One thing that is measured for everything that can stand between client and S3. */
export interface Scenario {
  readonly name: string
  readonly method: 'GET' | 'PUT'
  /** of an object */
  readonly bytes: number
  readonly payload: 'unsigned' | 'signed chunks'
  /** Of the client's requests. */
  readonly signature: 'v4' | 'v2'
  readonly connections: number
  /** Different objects that are asked for in turn. */
  readonly objects: number
  /** Whether the table speaks of requests or of bytes. */
  readonly shown: 'requests' | 'bytes'
}

const v4 = { signature: 'v4' } as const
const small = { ...v4, method: 'GET', bytes: KIB, payload: 'unsigned', objects: 500, shown: 'requests' } as const
const large = { ...v4, bytes: 8 * MIB, connections: 4, objects: 8, shown: 'bytes' } as const

export const SCENARIOS: readonly Scenario[] = [
  { ...small, name: 'GET 1 KiB, 32 connections', connections: 32 },
  { ...small, name: 'GET 1 KiB, 32 connections, signature version 2', signature: 'v2', connections: 32 },
  { ...small, name: 'GET 1 KiB, 1 connection', connections: 1 },
  { ...large, name: 'GET 8 MiB', method: 'GET', payload: 'unsigned' },
  { ...large, name: 'PUT 8 MiB, unsigned payload', method: 'PUT', payload: 'unsigned' },
  { ...large, name: 'PUT 8 MiB, signed chunks of 128 KiB', method: 'PUT', payload: 'signed chunks' },
]

/** What memory is measured under. */
export function memoryScenario(method: 'GET' | 'PUT', parallel: number, bytes: number): Scenario {
  const name = `${method}, ${parallel} × ${bytes / MIB} MiB in parallel`
  return { ...v4, name, method, bytes, payload: 'unsigned', connections: parallel, objects: parallel, shown: 'bytes' }
}
