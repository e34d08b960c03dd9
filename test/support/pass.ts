/** Which pass of the transport is tested: test/e2e/*-http-proxy.test.ts run tests again with the package's own. */
export const TEST_PASS = process.env['SSEC_PROXY_TEST_PASS'] === 'http-proxy' ? 'http-proxy' : 'lean'
