import { ARCHIVES } from './archive-cases.js'
import { BUCKETS } from './bucket-cases.js'
import type { Case } from './case.js'
import { COPYING } from './copy-cases.js'
import { CORS } from './cors-cases.js'
import { FORMS } from './form-cases.js'
import { LOCKS } from './lock-cases.js'
import { MD5S } from './md5-cases.js'
import { MULTIPART } from './multipart-cases.js'
import { PAYLOADS } from './payload-cases.js'
import { READING } from './reading-cases.js'
import { SIGNATURES } from './signature-cases.js'
import { VERSION_2 } from './version-2-cases.js'
import { VERSIONS } from './version-cases.js'
import { WRITING } from './writing-cases.js'

/** Everything that is asked of a server. The blocked bucket comes last: it is shared. */
export const CASES: readonly Case[] = [
  ...WRITING,
  ...FORMS,
  ...READING,
  ...MULTIPART,
  ...COPYING,
  ...SIGNATURES,
  ...VERSION_2,
  ...PAYLOADS,
  ...MD5S,
  ...BUCKETS,
  ...LOCKS,
  ...ARCHIVES,
  ...CORS,
  ...VERSIONS,
]
