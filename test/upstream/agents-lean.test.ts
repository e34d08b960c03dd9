// Every test of agents.test.ts again, with our own pass in place of http-proxy's.
process.env['SSEC_PROXY_TEST_PASS'] = 'lean'
await import('./agents.test.js')
