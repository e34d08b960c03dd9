// Fuzzers and properties again, five times as often as every day.
import { runFiles } from '../support/run-folder.js'

process.env['SSEC_PROXY_TEST_RUNS'] = 'all'
await runFiles(
  'upstream/lean/llhttp',
  'server/lean/llhttp',
  'telemetry/logger',
  'sigv4/reference-signer',
  's3/classify-plainly',
  'proxy/authorize',
  'sigv4/timestamp',
  'proxy/rewrite-headers',
  'http1/chunks',
  'sigv4/chunk-parser',
  's3/target',
)
