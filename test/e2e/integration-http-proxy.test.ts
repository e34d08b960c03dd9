// The integration tests again, on the embedded origin, with http-proxy's own pass (docs/adr/0007).
import { readdirSync } from 'node:fs'

process.env['SSEC_PROXY_TEST_PASS'] = 'http-proxy'
const folder = new URL('../integration/', import.meta.url)
for (const name of readdirSync(folder)
  .filter((one) => one.endsWith('.test.ts'))
  .sort())
  await import(new URL(name, folder).href)
