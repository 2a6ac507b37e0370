import tseslint from 'typescript-eslint';

// Borders between rooms and import cycles are checked by dependency-cruiser: see .dependency-cruiser.mjs.

const rooms = [
  'util',
  'job',
  'data',
  'engine',
  'proto',
  'transport',
  'run',
  'coordinator',
  'worker',
  'observe',
  'nats',
];
const onlyCli = [
  { object: 'process', property: 'env', message: 'only cli and main.ts read the environment' },
  { object: 'process', property: 'exit', message: 'only cli and main.ts end the process' },
];
/** Functions whose last bits may differ between JavaScript engines, or between calls. */
const inexact = ['random', 'cos', 'sin', 'tan', 'pow', 'exp', 'log', 'log2', 'log10', 'cbrt', 'hypot', 'atan2'].map(
  (property) => ({ object: 'Math', property, message: 'this code decides bits, which must not depend on the engine' }),
);

export default tseslint.config(
  { ignores: ['dist/**', 'gpu-libraries/**', 'node_modules/**', 'runs/**', 'coverage/**', 'proto/generated/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignoreConditionalTests: true }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 350, skipBlankLines: false }],
      'max-lines-per-function': ['error', { max: 80 }],
      'max-params': ['error', 5],
    },
  },
  {
    files: [...rooms, 'operator', 'deploy'].map((room) => `${room}/**`),
    ignores: ['operator/main.ts', 'deploy/images/**'],
    rules: { 'no-restricted-properties': ['error', ...onlyCli] },
  },
  {
    files: ['data/**', 'engine/**', 'coordinator/stepping/reduction/**'],
    rules: { 'no-restricted-properties': ['error', ...onlyCli, ...inexact] },
  },
  {
    files: ['job/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...onlyCli,
        ...inexact,
        { object: 'Date', property: 'now', message: 'job/ has no clock' },
        { object: 'performance', property: 'now', message: 'job/ has no clock' },
      ],
    },
  },
  { files: ['test/**'], rules: { 'max-lines-per-function': 'off' } },
);
