/** Which pass of the transport is tested: `*-lean.test.ts` runs the tests of another file again with ours. */
export const TEST_PASS = process.env['SSEC_PROXY_TEST_PASS'] === 'lean' ? 'lean' : 'http-proxy'
