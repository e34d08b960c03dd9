/** Which pass of the transport is tested: test/e2e/*-lean.test.ts run tests again with ours. */
export const TEST_PASS = process.env['SSEC_PROXY_TEST_PASS'] === 'lean' ? 'lean' : 'http-proxy'
