/** How often a property is tried: a fifth of `many` every day, all of it in the end-to-end part (test/e2e/properties.test.ts). */
export const runs = (many: number): number =>
  process.env['SSEC_PROXY_TEST_RUNS'] === 'all' ? many : Math.ceil(many / 5)
