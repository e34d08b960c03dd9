// Lint rules, and the arrows between the folders (docs/adr/0002): who may import whom.
import tseslint from 'typescript-eslint'

/** Packages with exactly one importer each. */
const SINGLE = {
  '@opentelemetry/api': 'src/telemetry/tracing.ts',
  '@opentelemetry/exporter-trace-otlp-http': 'src/telemetry/tracing.ts',
  '@opentelemetry/resources': 'src/telemetry/tracing.ts',
  '@opentelemetry/sdk-trace': 'src/telemetry/tracing.ts',
  '@aws-sdk/client-kms': 'src/keyring/kms.ts',
  aws4: 'src/sigv4/reference-signer.ts',
  'http-proxy': 'src/upstream/http-proxy-transport.ts',
  '@aws-sdk/credential-providers': 'src/upstream/credentials.ts',
  'cli-progress': 'src/cli/progress.ts',
  'lru-cache': 'src/keyring/cached.ts',
  pino: 'src/telemetry/logger.ts',
  'prom-client': 'src/telemetry/metric-registry.ts',
}

/** Folder → folders of src that it may not import. */
const FOLDERS = [
  'http1',
  's3',
  'sigv4',
  'sigv2',
  'keyring',
  'config',
  'proxy',
  'upstream',
  'maintenance',
  'rekey',
  'doctor',
  'telemetry',
  'origin',
  'quickstart',
  'cli',
]
const MAY = {
  http1: [],
  s3: [],
  sigv4: ['s3'],
  sigv2: ['s3', 'sigv4'],
  keyring: ['s3', 'config'],
  config: ['s3', 'sigv4'],
  upstream: ['s3', 'sigv4', 'config', 'http1'],
  proxy: ['s3', 'sigv4', 'sigv2', 'keyring', 'upstream', 'config'],
  maintenance: ['s3', 'sigv4', 'keyring', 'upstream', 'config'],
  rekey: ['s3', 'keyring', 'maintenance', 'upstream'],
  doctor: ['s3', 'keyring', 'maintenance', 'upstream', 'config'],
  telemetry: ['proxy', 'keyring', 'config', 'upstream'],
  origin: ['s3'],
  quickstart: FOLDERS,
  cli: FOLDERS,
}
const IMPURE = ['net', 'tls', 'http', 'https', 'fs', 'dns', 'os', 'child_process', 'cluster', 'process', 'timers']

const packageBans = (allowed) =>
  Object.keys(SINGLE)
    .filter((name) => !allowed.includes(name))
    .map((name) => ({ name, message: `${name} is imported by ${SINGLE[name]} only` }))

const folderBans = (folder) =>
  FOLDERS.filter((other) => other !== folder && !MAY[folder].includes(other)).map((other) => ({
    regex: `^(\\.\\./)+${other}/`,
    message: `${folder} must not import ${other}`,
  }))

const pureBans = (folder) =>
  ['http1', 's3', 'sigv4', 'sigv2'].includes(folder)
    ? [
        {
          regex: `^(node:)?(${IMPURE.join('|')})(/|$)`,
          message: `${folder} knows no socket, clock, logger or environment`,
        },
      ]
    : []

/** keyring/cached.ts is the only importer in its folder; files that own a package are excepted by name. */
const ownPackages = (file) => Object.keys(SINGLE).filter((name) => SINGLE[name] === file)

const restrict = (folder, allowed = []) => ({
  'no-restricted-imports': [
    'error',
    { paths: packageBans(allowed), patterns: folder === undefined ? [] : [...folderBans(folder), ...pureBans(folder)] },
  ],
})

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.tap/**', 'coverage/**'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'unions, not enums' },
        { selector: 'ExportDefaultDeclaration', message: 'named exports only' },
        { selector: 'ExportAllDeclaration', message: 'no barrels' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-redundant-type-constituents': 'off',
    },
  },
  { files: ['src/**/*.ts'], rules: restrict(undefined) },
  ...Object.keys(MAY).map((folder) => ({ files: [`src/${folder}/**/*.ts`], rules: restrict(folder) })),
  ...Object.values(SINGLE).map((file) => ({
    files: [file],
    rules: restrict(file.split('/')[1], ownPackages(file)),
  })),
  {
    files: ['src/s3/**/*.ts', 'src/sigv4/**/*.ts', 'src/sigv2/**/*.ts', 'src/keyring/**/*.ts', 'src/proxy/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'pass what is needed as an argument' }],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'time is an argument' },
        { object: 'Math', property: 'random', message: 'randomness is an argument' },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'src/quickstart/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
)
