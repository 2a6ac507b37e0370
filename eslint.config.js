import tseslint from 'typescript-eslint';

/** Which folders a folder may import from, besides itself; see docs/architecture.md. */
const borders = {
  util: [],
  job: ['engine'],
  data: ['job', 'util'],
  engine: ['job', 'util'],
  proto: ['job', 'util'],
  transport: ['job', 'proto', 'util'],
  run: ['job', 'data', 'engine', 'proto', 'util', 'coordinator'],
  coordinator: ['proto', 'transport', 'job', 'data', 'engine', 'run', 'util'],
  worker: ['proto', 'transport', 'job', 'data', 'engine', 'util'],
  observe: ['coordinator', 'proto', 'transport', 'job', 'data', 'run', 'util'],
  nats: ['coordinator', 'proto', 'transport', 'job', 'run', 'util'],
  operator: ['proto', 'transport', 'job', 'util'],
};
const folders = [...Object.keys(borders), 'cli', 'test'];

/** Refuses imports that cross a border. */
const borderRules = Object.entries(borders).map(([folder, allowed]) => {
  const forbidden = folders.filter((other) => other !== folder && !allowed.includes(other));
  const group = forbidden.map((other) => `**/../${other}/**`);
  const message = `${folder}/ may import only from ${allowed.join(', ') || 'itself'}: see docs/architecture.md`;
  return {
    files: [`${folder}/**`],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
  };
});

export default tseslint.config(
  { ignores: ['dist/**', 'gpu-libraries/**', 'node_modules/**', 'runs/**', 'coverage/**'] },
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
    files: ['proto/**', 'job/**', 'engine/**', 'coordinator/**', 'worker/**', 'deploy/**'],
    ignores: ['operator/main.ts', 'deploy/images/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'only cli and main.ts read the environment' },
        { object: 'process', property: 'exit', message: 'only cli and main.ts end the process' },
      ],
    },
  },
  {
    files: ['job/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['random', 'cos', 'sin', 'tan', 'pow', 'exp', 'log', 'log2', 'log10', 'cbrt', 'hypot', 'atan2'].map(
          (property) => ({
            object: 'Math',
            property,
            message: 'job/ is pure and its bits must not depend on the JavaScript engine',
          }),
        ),
        { object: 'Date', property: 'now', message: 'job/ has no clock' },
        { object: 'performance', property: 'now', message: 'job/ has no clock' },
        { object: 'process', property: 'env', message: 'only cli reads the environment' },
      ],
    },
  },
  ...borderRules,
  { files: ['test/**'], rules: { 'max-lines-per-function': 'off' } },
);
