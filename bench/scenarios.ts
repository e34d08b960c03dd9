import { KIB, MIB } from './content.js'

/** One thing that is measured for everything that can stand between client and S3. */
export interface Scenario {
  readonly name: string
  readonly request: 'GET object' | 'PUT object' | 'POST form' | 'GET listing'
  /** of an object, or of the file in a form */
  readonly bytes: number
  readonly payload: 'unsigned' | 'signed chunks'
  /** Of the client's requests. */
  readonly signature: 'v4' | 'v2'
  readonly connections: number
  /** Different objects (or forms, or listings) that are asked for in turn. */
  readonly objects: number
  /** Whether rivals are measured too, and not only nginx. */
  readonly rivals: 'too' | 'no'
  /** What the objects' names begin with: the stand-in of S3 behaves by it. */
  readonly prefix: string
  /** So many objects lie in a slow upstream, and the answers of as many more are read slowly. */
  readonly slow: number
  /** Whether the table speaks of requests or of bytes. */
  readonly shown: 'requests' | 'bytes'
}

const v4 = { signature: 'v4', payload: 'unsigned', rivals: 'no', slow: 0, prefix: '' } as const
const small = { ...v4, request: 'GET object', bytes: KIB, connections: 32, objects: 500, shown: 'requests' } as const
const large = { ...v4, bytes: 8 * MIB, connections: 4, objects: 8, shown: 'bytes' } as const

/** The load that most sections ask about. */
export const SMALL_GET: Scenario = { ...small, name: 'GET 1 KiB, 32 connections', rivals: 'too' }

const SCENARIOS: readonly Scenario[] = [
  SMALL_GET,
  { ...small, name: 'GET 1 KiB, 32 connections, signature version 2', signature: 'v2' },
  { ...small, name: 'GET 1 KiB, 1 connection', connections: 1 },
  { ...small, name: 'POST form with a file of 1 KiB, 32 connections', request: 'POST form' },
  {
    ...small,
    name: 'POST form with a file of 1 KiB, 32 connections, signature version 2',
    request: 'POST form',
    signature: 'v2',
  },
  { ...small, name: 'ListObjectsV2 of 1000 keys, 8 connections', request: 'GET listing', connections: 8 },
  { ...large, name: 'GET 8 MiB', request: 'GET object', rivals: 'too' },
  { ...large, name: 'PUT 8 MiB, unsigned payload', request: 'PUT object', rivals: 'too' },
  { ...large, name: 'PUT 8 MiB, signed chunks of 128 KiB', request: 'PUT object', payload: 'signed chunks' },
]

/** Those with one of the texts (in lower case) in their names; all of them where there is no text. */
export const chosenScenarios = (only: readonly string[]): readonly Scenario[] =>
  SCENARIOS.filter(({ name }) => only.length === 0 || only.some((text) => name.toLowerCase().includes(text)))

/** Transfers that run at once, each on its connection. */
export function transfers(method: 'GET' | 'PUT', parallel: number, bytes: number, slow: number): Scenario {
  const name = `${method}, ${parallel} × ${bytes / MIB} MiB`
  return {
    ...v4,
    name,
    request: `${method} object`,
    bytes,
    connections: parallel,
    objects: parallel,
    slow,
    shown: 'bytes',
  }
}
